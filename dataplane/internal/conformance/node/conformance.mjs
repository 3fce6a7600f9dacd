// Asks by one of the official SDKs what the test tells it: a talk in each line of the
// input, its answer in a line of the output, in the forms of talk_test.go.
import { AsyncLocalStorage } from "node:async_hooks";
import { createInterface } from "node:readline";

// The SDKs show headers in different ways, or not: they are noted where all of them pass.
const asked = new AsyncLocalStorage();
const plainFetch = globalThis.fetch;
globalThis.fetch = async (...args) => {
  const response = await plainFetch(...args);
  const note = asked.getStore();
  note.lossy = response.headers.get("x-weir-lossy") ?? "";
  note.retryAfter = response.headers.get("retry-after") ?? "";
  return response;
};

const speaker = await import(`./${process.argv[2]}.mjs`);

async function answer(talk) {
  const note = { lossy: "", retryAfter: "" };
  let said = {};
  try {
    said = await asked.run(note, () => speaker.ask(talk));
  } catch (error) {
    said = { failure: { message: String(error.message), retry_after: note.retryAfter, ...speaker.failure(error) } };
  }
  return { ...said, lossy: note.lossy };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, talk } = JSON.parse(line);
  answer(talk).then(
    (said) => process.stdout.write(JSON.stringify({ id, answer: said }) + "\n"),
    (error) => process.stdout.write(JSON.stringify({ id, broken: String(error.stack) }) + "\n"),
  );
}
