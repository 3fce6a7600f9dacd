import OpenAI, { APIError } from "openai";

export async function ask(talk) {
  const client = new OpenAI({ baseURL: talk.base + "/v1", apiKey: talk.key, maxRetries: talk.retries });
  if (!talk.stream) {
    const completion = await client.chat.completions.create(params(talk));
    return told(completion, completion.choices[0].message);
  }
  const stream = client.chat.completions.stream({ ...params(talk), stream_options: { include_usage: true } });
  const beyond = {};
  stream.on("chunk", (chunk) => chunk.choices.forEach((choice) => gather(beyond, choice.delta)));
  return told(await stream.finalChatCompletion(), beyond);
}

// gather adds up the fields that the SDK does not know.
function gather(beyond, { reasoning_content: text, thinking_blocks: blocks }) {
  if (text) beyond.reasoning_content = (beyond.reasoning_content ?? "") + text;
  if (blocks) beyond.thinking_blocks = [...(beyond.thinking_blocks ?? []), ...blocks];
}

function told({ choices: [{ message, finish_reason }], usage }, { reasoning_content, thinking_blocks }) {
  return {
    text: message.content ?? "",
    thinking: reasoning_content ?? "",
    signature: thinking_blocks?.[0]?.signature ?? "",
    calls: (message.tool_calls ?? []).map((made) => ({ id: made.id, name: made.function.name, arguments: made.function.arguments })),
    stop: finish_reason,
    input: usage.prompt_tokens,
    cached: usage.prompt_tokens_details?.cached_tokens ?? 0,
    output: usage.completion_tokens,
    again: { ...message, ...(reasoning_content && { reasoning_content }), ...(thinking_blocks && { thinking_blocks }) },
  };
}

function params(talk) {
  return {
    model: talk.route,
    max_completion_tokens: talk.max,
    messages: [...(talk.system ? [{ role: "system", content: talk.system }] : []), ...talk.turns.flatMap(turn)],
    ...(talk.tools && { tools: talk.tools.map(({ name, description, schema }) => ({ type: "function", function: { name, description, parameters: schema, strict: true } })) }),
    ...(talk.schema && { response_format: { type: "json_schema", json_schema: { name: "gauge", strict: true, schema: talk.schema } } }),
    ...(talk.stop && { stop: talk.stop }),
    ...(talk.think && { reasoning_effort: "low" }),
  };
}

function turn({ text, image, pdf, results, answer }) {
  if (answer) return [answer];
  const messages = (results ?? []).map(({ id, text: content }) => ({ role: "tool", tool_call_id: id, content }));
  const parts = [];
  if (image) parts.push({ type: "image_url", image_url: { url: "data:image/png;base64," + image } });
  if (pdf) parts.push({ type: "file", file: { filename: "level.pdf", file_data: "data:application/pdf;base64," + pdf } });
  if (parts.length > 0) return [...messages, { role: "user", content: [...parts, { type: "text", text }] }];
  return text ? [...messages, { role: "user", content: text }] : messages;
}

export function failure(error) {
  if (!(error instanceof APIError)) return {};
  return { status: error.status ?? 0, type: error.type ?? "", code: error.code ?? "" };
}
