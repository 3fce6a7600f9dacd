import OpenAI, { APIError } from "openai";

export async function ask(talk) {
  const client = new OpenAI({ baseURL: talk.base + "/v1", apiKey: talk.key, maxRetries: talk.retries });
  if (!talk.stream) return told(await client.responses.create(params(talk)));
  return told(await client.responses.stream(params(talk)).finalResponse());
}

function told({ status, incomplete_details, output, output_text, usage }) {
  const of = (type) => output.filter((item) => item.type === type);
  return {
    text: output_text,
    thinking: of("reasoning").flatMap(({ summary }) => summary).map(({ text }) => text).join(""),
    signature: of("reasoning").map(({ encrypted_content }) => encrypted_content ?? "").join(""),
    calls: of("function_call").map(({ call_id, name, arguments: said }) => ({ id: call_id, name, arguments: said })),
    stop: [status, incomplete_details?.reason].filter(Boolean).join(" "),
    input: usage.input_tokens,
    cached: usage.input_tokens_details?.cached_tokens ?? 0,
    output: usage.output_tokens,
    again: output,
  };
}

function params(talk) {
  return {
    model: talk.route,
    max_output_tokens: talk.max,
    store: false,
    input: talk.turns.flatMap(turn),
    ...(talk.system && { instructions: talk.system }),
    ...(talk.tools && { tools: talk.tools.map(({ name, description, schema }) => ({ type: "function", name, description, parameters: schema, strict: true })) }),
    ...(talk.schema && { text: { format: { type: "json_schema", name: "gauge", strict: true, schema: talk.schema } } }),
    ...(talk.think && { reasoning: { effort: "low", summary: "auto" }, include: ["reasoning.encrypted_content"] }),
  };
}

function turn({ text, image, pdf, results, answer }) {
  if (answer) return answer;
  const items = (results ?? []).map(({ id, text: output }) => ({ type: "function_call_output", call_id: id, output }));
  const content = [];
  if (image) content.push({ type: "input_image", detail: "auto", image_url: "data:image/png;base64," + image });
  if (pdf) content.push({ type: "input_file", filename: "level.pdf", file_data: "data:application/pdf;base64," + pdf });
  if (text) content.push({ type: "input_text", text });
  return content.length > 0 ? [...items, { role: "user", content }] : items;
}

export function failure(error) {
  if (!(error instanceof APIError)) return {};
  return { status: error.status ?? 0, type: error.type ?? "", code: error.code ?? "" };
}
