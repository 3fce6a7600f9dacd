import { useState } from "react";

interface Result<A> {
  data: A | undefined;
  error: unknown;
  isPlaceholderData: boolean;
  dataUpdatedAt: number;
}

/** Answer is what came, and the question that it answers. */
export interface Answer<A, Q> {
  data: A;
  question: Q;
  at: Date;
}

interface Answered<A, Q> {
  answer: Answer<A, Q> | undefined;
  /** The answer is to what was asked before. */
  waiting: boolean;
}

/**
 * useAnswer keeps the newest answer with its question while another one is under way: what is shown of
 * an answer is never read by a question that it is not of. Of an error, only what answers a question of the
 * same name is left.
 */
export function useAnswer<A, Q>({ data, error, isPlaceholderData, dataUpdatedAt }: Result<A>, question: Q, name: string): Answered<A, Q> {
  const [last, setLast] = useState<{ answer: Answer<A, Q>; name: string }>();
  if (data !== undefined && !isPlaceholderData && (last?.answer.data !== data || last.answer.at.getTime() !== dataUpdatedAt || last.name !== name)) {
    const next = { answer: { data, question, at: new Date(dataUpdatedAt) }, name };
    setLast(next);
    return { answer: next.answer, waiting: false };
  }
  const waiting = last !== undefined && last.name !== name;
  return waiting && error ? { answer: undefined, waiting: false } : { answer: last?.answer, waiting };
}
