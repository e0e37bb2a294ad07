/** A Vite plugin for tests in workerd. */
import type { Plugin } from "vitest/config";

const DYNAMIC_IMPORT = /\bimport\(("[^"\n]+")\)/g;

/**
 * Loads with a module of `src` what the module loads on demand. The test runner imports in one object of its own. When a
 * request and a test import one module at the same time, one of them may wait for ever, or fail with "Cannot perform I/O on
 * behalf of a different Durable Object". What is loaded on demand, and when, is tested with the built Worker.
 *
 * Lines and columns stay as they are.
 */
export function eagerImports(): Plugin {
  return {
    name: "eager-imports",
    // After types are gone, in which `import("...")` stands as well.
    enforce: "post",
    transform(code, id) {
      if (!/\/src\/.*\.ts$/.test(id)) return null;
      const specifiers: string[] = [];
      const eager = code.replace(DYNAMIC_IMPORT, (found, specifier: string) => {
        specifiers.push(specifier);
        return `loaded${specifiers.length}()`.padEnd(found.length);
      });
      const imports = specifiers.map((specifier, index) => {
        const name = `loaded${index + 1}`;
        return `import * as ${name}$ from ${specifier};\nasync function ${name}() { return ${name}$; }\n`;
      });
      return imports.length === 0 ? null : { code: `${eager}\n${imports.join("")}`, map: null };
    },
  };
}
