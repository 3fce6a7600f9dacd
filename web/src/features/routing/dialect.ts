import { Dialect } from "../../api/provider";

/** Hints say what a provider of a dialect wants. */
export interface Hints {
  baseUrl: string;
  /** What comes with the base URL, and what does not. */
  form: string;
  credential: string;
  /** Where no price list is said. */
  prices: string;
}

const key = "An API key.";

const hints: Partial<Record<Dialect, Hints>> = {
  [Dialect.OPENAI]: {
    baseUrl: "https://api.openai.com/v1",
    form: "With the version.",
    credential: key,
    prices: "openai",
  },
  [Dialect.OPENAI_COMPATIBLE]: {
    baseUrl: "https://models.example/v1",
    form: "Up to what /chat/completions follows.",
    credential: "An API key; any text where the upstream asks for none: agents send nothing without one.",
    prices: "",
  },
  [Dialect.ANTHROPIC]: {
    baseUrl: "https://api.anthropic.com",
    form: "Without the version.",
    credential: key,
    prices: "anthropic",
  },
  [Dialect.GEMINI]: {
    baseUrl: "https://generativelanguage.googleapis.com/v1beta",
    form: "With the version.",
    credential: "An API key of AI Studio.",
    prices: "gemini",
  },
  [Dialect.VERTEX]: {
    baseUrl: "https://us-central1-aiplatform.googleapis.com/v1/projects/PROJECT/locations/us-central1/publishers/google",
    form: "With version, project, location and publisher. Agents ask it only where their own list of upstreams has it.",
    credential: "A service account's key file, or an access token.",
    prices: "",
  },
  [Dialect.AZURE_OPENAI]: {
    baseUrl: "https://RESOURCE.openai.azure.com",
    form: "The resource only, without /openai. Agents ask it only where their own list of upstreams has it.",
    credential: "A key of the resource, or an access token of Entra ID.",
    prices: "",
  },
  [Dialect.BEDROCK]: {
    baseUrl: "https://bedrock-runtime.us-east-1.amazonaws.com",
    form: "Of the region, or a VPC endpoint; no path.",
    credential: "The JSON object that AWS's credential_process prints, or a Bedrock API key.",
    prices: "bedrock",
  },
};

/** choices are the dialects that a provider can have. */
export const choices: readonly Dialect[] = [
  Dialect.OPENAI,
  Dialect.OPENAI_COMPATIBLE,
  Dialect.ANTHROPIC,
  Dialect.GEMINI,
  Dialect.VERTEX,
  Dialect.AZURE_OPENAI,
  Dialect.BEDROCK,
];

/** hintsOf a dialect; one this console does not know yet has none. */
export function hintsOf(dialect: Dialect): Hints {
  return hints[dialect] ?? { baseUrl: "", form: "", credential: "", prices: "" };
}
