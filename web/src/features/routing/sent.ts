/** HeaderDraft is a header as it is typed. */
export interface HeaderDraft {
  name: string;
  value: string;
}

export const maxHeaders = 20;
const maxModels = 1_000;
const maxModel = 200;

const nameForm = /^[\w!#$%&'*+.^`|~-]+$/;
const valueForm = /^[\x20-\x7e\t]*$/;

/** headerMistake is what is wrong with one of the headers; undefined: nothing, or it is not written yet. Which names are the agent's own the server says. */
export function headerMistake(headers: readonly HeaderDraft[], at: number): string | undefined {
  const { name = "", value = "" } = headers[at] ?? {};
  const lower = name.toLowerCase();
  if (name !== "" && !nameForm.test(name)) return "A name has letters, digits and dashes, no spaces and no colon.";
  if (name !== "" && headers.findIndex((other) => other.name.toLowerCase() === lower) !== at) return `${name} is written twice.`;
  if (!valueForm.test(value) || value.trim() !== value) return "A value is printable ASCII, without space around it.";
  return undefined;
}

/** modelsOf are those that are written, one on each line. */
export function modelsOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}

/** modelsMistake is what is wrong with a list of models; undefined: nothing. */
export function modelsMistake(text: string): string | undefined {
  const models = modelsOf(text);
  const twice = models.find((model, i) => models.indexOf(model) !== i);
  if (twice !== undefined) return `${twice} is there twice.`;
  if (models.some((model) => new TextEncoder().encode(model).length > maxModel)) return `A model has at most ${maxModel} bytes.`;
  return models.length > maxModels ? `At most ${maxModels} models.` : undefined;
}
