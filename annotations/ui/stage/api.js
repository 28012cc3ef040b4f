// Requests to the desk's routes. Knows the token and the address, nothing of what the requests mean.

// A locked database may take half a minute; a connection that says nothing for longer is gone.
const TIMEOUT_MS = 45_000;

export class Api {
  /** @param {string} address @param {string} token @param {string} language */
  constructor(address, token, language) {
    this.address = address;
    this.token = token;
    this.language = language;
  }

  /**
   * Send a request. `status` is 0 where there was no answer.
   * @param {string} method
   * @param {string} path
   * @param {Record<string, any>} body
   * @param {boolean} [keepalive] the page is being left: the browser sends it all the same
   * @returns {Promise<{status: number, data: any}>}
   */
  async send(method, path, body, keepalive = false) {
    try {
      const answer = await fetch(`${this.address}/${path}`, {
        method,
        keepalive,
        headers: { "Content-Type": "application/json", "X-Desk-Token": this.token },
        body: JSON.stringify({ ...body, language: this.language }),
        signal: keepalive ? null : AbortSignal.timeout(TIMEOUT_MS),
      });
      return { status: answer.status, data: await answer.json() };
    } catch (error) {
      // A network error, a time-out, or an answer that is not JSON: a proxy's page for a server that is down.
      return { status: 0, data: { refused: "offline", message: String(error) } };
    }
  }

  /** @param {string} path @param {Record<string, any>} body */
  post(path, body) {
    return this.send("POST", path, body);
  }
}

/**
 * Return whether sending the same request again may help: no answer, or a server or a database that cannot work now.
 * @param {number} status
 */
export function passing(status) {
  return status === 0 || status >= 500 || status === 408 || status === 429;
}
