// The package ships no types, no `main` and no exports map: this names the one file of it and the one function in it.
declare module "wgsl-preprocessor/wgsl-preprocessor.js" {
  export function wgsl(strings: TemplateStringsArray, ...values: readonly unknown[]): string;
}
