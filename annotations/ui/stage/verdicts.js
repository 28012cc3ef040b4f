// Verdicts on what is on the screen: made, kept, recorded or refused, and undone.

import { newId } from "./dom.js";

const DECISIVE = new Set(["approve", "reject", "rewrite"]);
const SHORT_CHARS = 60;

export class Verdicts {
  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    /** what can be undone, the newest last @type {any[]} */
    this.done = [];
  }

  /**
   * Keep a verdict on the painted sample, and show the next one.
   * @param {string} verdict
   * @param {{reason?: string, messages?: any[] | null, key: string, over?: boolean}} how
   * @returns {boolean} whether it was made
   */
  judge(verdict, { reason = "", messages = null, key, over = false }) {
    const item = this.stage.seen;
    if (!item || this.stage.blocked) {
      this.stage.miss();
      return false;
    }
    if (DECISIVE.has(verdict) && !item.can_judge) {
      this.stage.drawing.tell(this.stage.say("cannot_judge"));
      return false;
    }
    if (DECISIVE.has(verdict) && item.overrules && !over) {
      this.stage.ask(item.overrules, this.stage.say("overrule_again"), key, () => {
        this.judge(verdict, { reason, messages, key, over: true });
      });
      return false;
    }
    const entry = {
      event_id: newId(),
      sample: item.id,
      revision: item.revision,
      seen: item.seen,
      verdict,
      reason,
      messages,
      seconds: this.stage.watch.seconds(),
      short: item.spoken.slice(0, SHORT_CHARS),
    };
    this.stage.outbox.add(entry);
    this.done.push({ kind: "verdict", event_id: entry.event_id, sample: item.id });
    if (verdict === "note") {
      this.stage.drawing.tell(this.stage.say("did_note"));
      return true;
    }
    this.stage.writing.close();
    this.stage.samples.next();
    this.stage.drawing.tell(this.stage.say(`did_${verdict}`), this.stage.samples.current?.spoken);
    return true;
  }

  /** @param {any} entry @param {any} data */
  recorded(entry, data) {
    this.stage.status.trouble("", "");
    if (entry.verdict === "rewrite") this.stage.drafts.forget(entry.sample, entry.messages);
    if (data.item) {
      data.item.at = Date.now();
      this.stage.refreshed(data.item);
    }
    this.stage.samples.judged(entry.sample);
    this.stage.status.countSoon();
  }

  /** A verdict was not recorded: say why, keep its text, offer to open the sample. @param {any} entry @param {any} data */
  refused(entry, data) {
    this.stage.status.trouble("", "");
    this.done = this.done.filter((one) => one.event_id !== entry.event_id);
    if (entry.verdict === "note") this.stage.kept.set(`note:${entry.sample}`, entry.reason);
    if (entry.messages && !this.stage.drafts.mine(entry.sample)) {
      this.stage.drafts.write(entry.sample, entry.revision, entry.messages);
    }
    const what = this.stage.say("refused_verdict", { verdict: this.stage.say(`verdict_${entry.verdict}`), sample: entry.short });
    this.stage.drawing.alert(`${what} · ${data.message}`, { sample: entry.sample, id: entry.event_id });
  }

  async undo() {
    const last = this.done.at(-1);
    if (last?.kind === "discard") {
      this.done.pop();
      await this.stage.writing.restore(last);
      return;
    }
    if (this.stage.blocked) {
      this.stage.miss();
      return;
    }
    this.stage.blocked = true;
    await this.stage.outbox.send();
    if (last?.kind === "same") {
      if (await this.stage.meaning.undo(last)) this.done = this.done.filter((one) => one !== last);
      this.stage.blocked = false;
      return;
    }
    if (last?.kind === "naming") {
      if (await this.stage.naming.undo(last)) this.done = this.done.filter((one) => one !== last);
      this.stage.blocked = false;
      return;
    }
    const waits = this.stage.outbox.waiting().length > 0;
    const target = last?.kind === "verdict" ? { target: last.event_id, sample: last.sample } : {};
    const { status, data } = waits ? { status: 0, data: null } : await this.stage.api.post("undo", { ...target, filters: this.stage.samples.filters });
    this.stage.blocked = false;
    if (status === 0) {
      this.stage.drawing.tell(this.stage.say("wait_for_undo"));
      return;
    }
    if (last) this.done = this.done.filter((one) => one !== last);
    if (status !== 200) {
      this.stage.drawing.alert(data.message, { id: "undo" });
      return;
    }
    if (data.undone === "same") {
      this.stage.meaning.undone(data);
      return;
    }
    if (!data.item) {
      this.stage.drawing.tell(this.stage.say("nothing_to_undo"));
      return;
    }
    this.stage.samples.instead(data.item);
    this.stage.samples.judged(data.item.id);
    this.stage.drawing.tell(this.stage.say("undone", { verdict: this.stage.say(`verdict_${data.undone}`) }), data.item.spoken);
    this.stage.status.countSoon();
  }

  /** Judge a whole cluster, after a question that names the number. @param {any} item @param {string} how */
  cluster(item, how) {
    const n = how === "keep" ? item.cluster.length - 1 : item.cluster.length;
    // Those that a colleague has judged otherwise are overruled: the question names who.
    const wanted = (/** @type {any} */ member) =>
      how === "approve" || (how === "keep" && member.id === item.id) ? "approved" : "rejected";
    const over = item.cluster.filter((/** @type {any} */ member) => member.by && member.status !== wanted(member));
    const who = [...new Set(over.map((/** @type {any} */ member) => member.by))].join(", ");
    const hint = over.length > 0 ? this.stage.say("cluster_overrules", { n: over.length, who }) : "";
    this.stage.ask(this.stage.say(`cluster_${how}_sure`, { n }), hint, how === "keep" ? "k" : "", () => {
      void this.settleCluster(item, how);
    });
  }

  /** @param {any} item @param {string} how */
  async settleCluster(item, how) {
    this.stage.blocked = true;
    await this.stage.outbox.send();
    const body = { batch: newId(), verdict: how === "approve" ? "approve" : "reject", members: item.cluster };
    const { status, data } = await this.stage.api.post("cluster", how === "keep" ? { ...body, keep: item.id } : body);
    this.stage.blocked = false;
    if (status !== 200) {
      this.stage.drawing.alert(status === 0 ? this.stage.say("offline", { n: 0, chars: 0 }) : data.message, { id: "cluster" });
      this.stage.look();
      return;
    }
    this.done.push({ kind: "cluster" });
    const members = new Set(item.cluster.map((member) => member.id));
    this.stage.samples.ahead = this.stage.samples.ahead.filter((one) => !members.has(one.id));
    if (data.refused.length > 0) {
      const values = { n: data.refused.length, why: data.refused[0] };
      this.stage.drawing.alert(this.stage.say("cluster_refused", values), { id: body.batch, sample: item.id });
    }
    this.stage.samples.next();
    this.stage.drawing.tell(this.stage.say("cluster_done", { n: data.done }), this.stage.samples.current?.spoken);
    this.stage.status.countSoon();
  }
}
