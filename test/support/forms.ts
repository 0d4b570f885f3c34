// The ways in which kernels let threads work together, and traits of the adapters that each is for: whatever the adapter of the
// tests is, lowerings given these choose that way. SwiftShader has subgroups, of 4.
export const forms = {
  thread: { software: true, subgroups: false },
  workgroup: { software: false, subgroups: false },
  subgroups: { software: false, subgroups: true },
} as const;

export type Form = keyof typeof forms;
export const FORMS = Object.keys(forms) as Form[];
