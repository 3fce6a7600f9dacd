/** env is a variable that a run can't do without. */
export function env(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: source the file of shell exports that make run writes`);
  return value;
}
