import { ApiError, GoogleGenAI } from "@google/genai";

export async function ask(talk) {
  const client = new GoogleGenAI({ apiKey: talk.key, httpOptions: { baseUrl: talk.base, retryOptions: { attempts: talk.retries + 1 } } });
  const parts = []; // as they came
  let usage, stop;
  for await (const { candidates, usageMetadata } of await responses(client, talk)) {
    usage = usageMetadata ?? usage;
    for (const { content, finishReason } of candidates ?? []) {
      parts.push(...(content?.parts ?? []));
      stop = finishReason ?? stop;
    }
  }
  return told(parts, stop, usage);
}

async function responses(client, talk) {
  if (talk.stream) return client.models.generateContentStream(params(talk));
  return [await client.models.generateContent(params(talk))];
}

function told(parts, stop, usage) {
  const all = (field, wanted) => parts.filter(wanted).map((part) => part[field] ?? "").join("");
  return {
    text: all("text", ({ thought }) => !thought),
    thinking: all("text", ({ thought }) => thought),
    signature: all("thoughtSignature", ({ thought }) => thought),
    calls: parts.filter((part) => part.functionCall).map(({ functionCall: { id, name, args } }) => ({ id, name, arguments: JSON.stringify(args ?? {}) })),
    stop,
    input: usage.promptTokenCount,
    cached: usage.cachedContentTokenCount ?? 0,
    output: (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0),
    again: { role: "model", parts },
  };
}

function params(talk) {
  return {
    model: talk.route,
    contents: talk.turns.map(turn),
    config: {
      maxOutputTokens: talk.max,
      ...(talk.system && { systemInstruction: talk.system }),
      ...(talk.stop && { stopSequences: talk.stop }),
      ...(talk.tools && { tools: [{ functionDeclarations: talk.tools.map(({ name, description, schema }) => ({ name, description, parametersJsonSchema: schema })) }] }),
      ...(talk.schema && { responseMimeType: "application/json", responseJsonSchema: talk.schema }),
      ...(talk.think && { thinkingConfig: { includeThoughts: true, thinkingLevel: "LOW" } }),
    },
  };
}

function turn({ text, image, pdf, results, answer }) {
  if (answer) return answer;
  const parts = (results ?? []).map(({ id, name, text: output }) => ({ functionResponse: { id, name, response: { output } } }));
  if (image) parts.push({ inlineData: { mimeType: "image/png", data: image } });
  if (pdf) parts.push({ inlineData: { mimeType: "application/pdf", data: pdf } });
  if (text) parts.push({ text });
  return { role: "user", parts };
}

export function failure(error) {
  if (!(error instanceof ApiError)) return {};
  const said = errorIn(error.message);
  const delay = (said.details ?? []).find(({ retryDelay }) => retryDelay)?.retryDelay;
  return { status: error.status ?? 0, type: said.status ?? "", ...(delay && { retry_after: delay.replace(/s$/, "") }) };
}

// errorIn finds the object of the provider, which the SDK has in its message.
function errorIn(message) {
  const from = message.indexOf('{"error"');
  try {
    return JSON.parse(message.slice(from)).error;
  } catch {
    return {};
  }
}
