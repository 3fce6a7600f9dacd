// uPlot makes a number format of navigator.language as it is loaded, and throws where that is no language: Chromium
// calls the locale C "en-US@posix". What charts show is formatted by us.
try {
  Intl.getCanonicalLocales(navigator.language);
} catch {
  Object.defineProperty(navigator, "language", { value: "en-US", configurable: true });
}

export {};
