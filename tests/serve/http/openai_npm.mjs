// OpenAI's client for JavaScript against a running server: the address is the first argument, what it saw goes to stdout.
import OpenAI, { BadRequestError } from "openai";

const client = new OpenAI({ baseURL: `${process.argv[2]}/v1`, apiKey: "none", maxRetries: 0 });
const ask = (content, more = {}) =>
  client.chat.completions.create({ model: "inosuke", messages: [{ role: "user", content }], ...more });

const seen = { models: [], pieces: [], error: null };
for await (const model of client.models.list()) seen.models.push(model.id);
seen.model = (await client.models.retrieve("inosuke")).owned_by;
seen.reply = (await ask("xin chào", { top_k: 5, seed: 3 })).choices[0].message.content;
seen.both = (await ask("a", { n: 2 })).choices.map((choice) => choice.index);
seen.usage = [];
for await (const chunk of await ask("một hai", { stream: true, stream_options: { include_usage: true } })) {
  if (chunk.choices[0]?.delta.content) seen.pieces.push(chunk.choices[0].delta.content);
  if (chunk.usage) seen.usage.push(chunk.usage.completion_tokens);
}
const helper = client.chat.completions.stream({ model: "x", messages: [{ role: "user", content: "ba" }] });
seen.final = await helper.finalContent();
seen.text = (await client.completions.create({ model: "x", prompt: "bốn" })).choices[0].text;
const begun = [{ role: "user", content: "a" }, { role: "assistant", content: "I am" }];
seen.continued = (await client.chat.completions.create({ model: "x", messages: begun })).choices[0].message.content;
try {
  await ask("a", { tools: [{ type: "function", function: { name: "f" } }] });
} catch (error) {
  seen.error = [error instanceof BadRequestError, error.code, error.param];
}
console.log(JSON.stringify(seen));
