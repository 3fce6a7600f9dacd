import described from "./schema.json";

export interface SchemaColumn {
  name: string;
  /** ClickHouse's. */
  type: string;
  about: string;
}

export interface View {
  name: string;
  about: string;
  columns: readonly SchemaColumn[];
}

export interface FunctionWord {
  name: string;
  /** How it is called, and what comes of it. */
  about: string;
}

/** The views that a statement may read, and functions worth knowing. A test of controlplane/internal/report holds both against the real store. */
export const views: readonly View[] = described.views;
export const functions: readonly FunctionWord[] = described.functions;
