import { cleanup, configure } from "@testing-library/react";
import { afterEach, vi } from "vitest";

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

// Found things end the wait at once; this only bounds it on a busy machine.
configure({ asyncUtilTimeout: 15_000 });

// jsdom draws and lays out nothing: these stand where the browser's own would.
vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener() {}, removeEventListener() {} }));
vi.stubGlobal(
  "ResizeObserver",
  class {
    observe() {}
    disconnect() {}
  },
);
vi.stubGlobal("Path2D", function Path2D() {});
Element.prototype.scrollIntoView = () => undefined;
Range.prototype.getClientRects = () => [] as unknown as DOMRectList;
Range.prototype.getBoundingClientRect = () => new DOMRect();
vi.stubGlobal("scrollTo", () => undefined);
const canvas = new Proxy({}, { get: () => () => ({ width: 0 }), set: () => true });
HTMLCanvasElement.prototype.getContext = (() => canvas) as unknown as HTMLCanvasElement["getContext"];
