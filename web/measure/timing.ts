import type { CDPSession, Page } from "@playwright/test";

/** Timing of an interaction, ms. */
export interface Timing {
  /** From the input to the next picture (Event Timing, steps of 8 ms); undefined: less than 16. */
  paint: number | undefined;
  /** From the input until what it is for is in the picture. */
  shown: number | undefined;
  /** The longest time that the page heard nothing (Long Tasks); 0: less than 50. */
  longest: number;
  /** Processor time of the page's thread. */
  cpu: number;
}

/** Frames of a movement: ms between pictures. */
export interface Frames {
  count: number;
  p50: number;
  p95: number;
  worst: number;
  longest: number;
  /** Of the page's thread, for each step of the movement. */
  cpu: number;
}

interface Seen {
  events: { duration: number }[];
  tasks: number[];
  input: number;
  frames: number[];
  moves: boolean;
}

declare global {
  interface Window {
    seen: Seen;
  }
}

/** Watch measures in a page. */
export class Watch {
  private constructor(
    private readonly page: Page,
    private readonly cdp: CDPSession,
  ) {}

  /** on begins before the page's first script. */
  static async on(page: Page): Promise<Watch> {
    await page.addInitScript(() => {
      window.seen = { events: [], tasks: [], input: 0, frames: [], moves: false };
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries() as (PerformanceEntry & { interactionId?: number })[]) if (entry.interactionId) window.seen.events.push({ duration: entry.duration });
      }).observe({ type: "event", durationThreshold: 16 } as PerformanceObserverInit);
      new PerformanceObserver((list) => window.seen.tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: "longtask" });
      for (const type of ["keydown", "pointerdown"]) addEventListener(type, (event) => (window.seen.input = event.timeStamp), { capture: true });
    });
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
    return new Watch(page, cdp);
  }

  /** interaction acts, and waits until a selector has something, or until nothing happens where none is said. */
  async interaction(act: () => Promise<unknown>, shows?: string): Promise<Timing> {
    const before = await this.begin();
    // The page looks at every frame: a question from here would wait for the page's thread itself.
    const shown = shows === undefined ? undefined : this.page.evaluate(appears, shows);
    await act();
    const at = await shown;
    await this.page.waitForTimeout(300);
    const { events, tasks, input } = await this.page.evaluate(() => window.seen);
    return {
      paint: events.length === 0 ? undefined : Math.max(...events.map(({ duration }) => duration)),
      shown: at === undefined ? undefined : Math.max(0, at - input),
      longest: Math.max(0, ...tasks),
      cpu: (await this.cpu()) - before,
    };
  }

  /** movement takes steps, and tells of the pictures meanwhile. */
  async movement(steps: number, step: (i: number) => Promise<unknown>): Promise<Frames> {
    const before = await this.begin();
    await this.page.evaluate(() => {
      const tick = (at: number) => {
        window.seen.frames.push(at);
        if (window.seen.moves) requestAnimationFrame(tick);
      };
      window.seen.moves = true;
      requestAnimationFrame(tick);
    });
    for (let i = 0; i < steps; i++) await step(i);
    await this.page.evaluate(() => {
      window.seen.moves = false;
    });
    await this.page.waitForTimeout(300); // the last long tasks are told late
    const { frames, tasks } = await this.page.evaluate(() => window.seen);
    const between = frames.slice(1).map((at, i) => at - (frames[i] ?? at));
    const cpu = (await this.cpu()) - before;
    return { count: between.length, p50: part(between, 0.5), p95: part(between, 0.95), worst: part(between, 1), longest: Math.max(0, ...tasks), cpu: cpu / steps };
  }

  private async begin(): Promise<number> {
    await this.page.waitForTimeout(200);
    await this.page.evaluate(() => {
      Object.assign(window.seen, { events: [], tasks: [], frames: [] });
    });
    return this.cpu();
  }

  private async cpu(): Promise<number> {
    const { metrics } = await this.cdp.send("Performance.getMetrics");
    return 1_000 * (metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0);
  }
}

function appears(selector: string): Promise<number> {
  return new Promise((resolve) => {
    const look = () => {
      if (document.querySelector(selector)) requestAnimationFrame(() => resolve(performance.now()));
      else requestAnimationFrame(look);
    };
    look();
  });
}

/** part is the value that a part of all are not above. */
export function part(of: readonly number[], share: number): number {
  const sorted = [...of].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
