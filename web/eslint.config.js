import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import ts from "typescript-eslint";

const onlyApiImportsGen = {
  patterns: [
    { group: ["**/gen/**"], message: "Only src/api/<service>.ts imports the generated clients." },
  ],
};

export default ts.config(
  { ignores: ["dist", "src/gen", "node_modules", "test-results", "public"] },
  js.configs.recommended,
  ...ts.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ["eslint.config.js", "sizes.js"] } } },
    plugins: { "react-hooks": hooks },
    rules: {
      ...hooks.configs.recommended.rules,
      "no-console": "error",
      "no-restricted-imports": ["error", onlyApiImportsGen],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // TanStack Router's redirect and notFound are thrown by design.
      "@typescript-eslint/only-throw-error": "off",
    },
  },
  { files: ["src/api/**", "src/test/**", "src/**/*.test.{ts,tsx}"], rules: { "no-restricted-imports": "off" } },
  { files: ["eslint.config.js"], extends: [ts.configs.disableTypeChecked] },
);
