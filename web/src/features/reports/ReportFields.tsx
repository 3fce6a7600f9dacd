import { NameField, TextField } from "../../ui/Form";

export interface ReportWords {
  name: string;
  description: string;
}

interface ReportFieldsProps {
  words: ReportWords;
  problem: (field: string) => string | undefined;
  onChange: (words: ReportWords) => void;
}

/** ReportFields are what a report is called, and what it is for. */
export function ReportFields({ words, problem, onChange }: ReportFieldsProps) {
  return (
    <>
      <NameField placeholder="cost-by-team" problem={problem("name")} value={words.name} onChange={(name) => onChange({ ...words, name })} />
      <TextField
        label="Description"
        maxLength={1000}
        hint="What it answers, for whoever finds it in the list."
        problem={problem("description")}
        value={words.description}
        onChange={(description) => onChange({ ...words, description })}
      />
    </>
  );
}
