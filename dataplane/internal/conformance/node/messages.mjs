import Anthropic, { APIError } from "@anthropic-ai/sdk";

export async function ask(talk) {
  const client = new Anthropic({ baseURL: talk.base, apiKey: talk.key, maxRetries: talk.retries });
  if (!talk.stream) return told(await client.messages.create(params(talk)));
  return told(await client.messages.stream(params(talk)).finalMessage());
}

function told({ role, content, stop_reason, stop_sequence, usage }) {
  const all = (type, field) => content.filter((block) => block.type === type).map((block) => block[field]).join("");
  const cached = usage.cache_read_input_tokens ?? 0;
  return {
    text: all("text", "text"),
    thinking: all("thinking", "thinking"),
    signature: all("thinking", "signature"),
    calls: content.filter(({ type }) => type === "tool_use").map(({ id, name, input }) => ({ id, name, arguments: JSON.stringify(input) })),
    stop: stop_reason,
    sequence: stop_sequence ?? "",
    input: usage.input_tokens + (usage.cache_creation_input_tokens ?? 0) + cached,
    cached,
    output: usage.output_tokens,
    again: { role, content },
  };
}

function params(talk) {
  const format = talk.schema && { format: { type: "json_schema", schema: talk.schema } };
  return {
    model: talk.route,
    max_tokens: talk.max,
    messages: talk.turns.map(turn),
    ...(talk.system && { system: talk.system }),
    ...(talk.tools && { tools: talk.tools.map(({ name, description, schema }) => ({ name, description, input_schema: schema })) }),
    ...(talk.stop && { stop_sequences: talk.stop }),
    ...(format && { output_config: format }),
    ...(talk.think && { thinking: { type: "adaptive", display: "summarized" }, output_config: { ...format, effort: "low" } }),
  };
}

function turn({ text, image, pdf, results, answer }) {
  if (answer) return answer;
  const content = (results ?? []).map(({ id, text: said }) => ({ type: "tool_result", tool_use_id: id, content: said }));
  if (image) content.push({ type: "image", source: { type: "base64", media_type: "image/png", data: image } });
  if (pdf) content.push({ type: "document", source: { type: "base64", media_type: "application/pdf", data: pdf } });
  if (text) content.push({ type: "text", text });
  return { role: "user", content };
}

export function failure(error) {
  if (!(error instanceof APIError)) return {};
  return { status: error.status ?? 0, type: error.error?.error?.type ?? "", message: JSON.stringify(error.error ?? error.message) };
}
