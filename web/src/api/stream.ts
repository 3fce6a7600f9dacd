import { Code, ConnectError } from "@connectrpc/connect";

/** Connection of a stream: "lost" is being mended, "refused" is not. */
export type Connection = "connecting" | "live" | "lost" | "refused";

const firstWait = 1_000;
const longestWait = 15_000;

interface Stream {
  /** listen reads until the stream ends, and says with each message that the connection lives. */
  listen: (alive: () => void, signal: AbortSignal) => Promise<void>;
  /** A connection that is silent for longer is dead, ms. */
  longestSilence: number;
  /** Whoever listens has left. */
  left: AbortSignal;
  onConnection: (connection: Connection) => void;
  /** The login has ended. */
  onLoggedOut: () => void;
}

/** keepListening makes a connection that is lost anew, with longer and longer pauses, until it is left or refused. */
export async function keepListening({ listen, longestSilence, left, onConnection, onLoggedOut }: Stream): Promise<void> {
  for (let wait = firstWait; ; wait = Math.min(2 * wait, longestWait)) {
    const silent = new AbortController();
    let timer = setTimeout(() => silent.abort(), longestSilence);
    const alive = () => {
      wait = firstWait;
      clearTimeout(timer);
      timer = setTimeout(() => silent.abort(), longestSilence);
      onConnection("live");
    };
    const error = await listen(alive, AbortSignal.any([left, silent.signal])).catch((e: unknown) => ConnectError.from(e));
    clearTimeout(timer);
    if (isOver(left)) return;
    if (error?.code === Code.Unauthenticated) onLoggedOut();
    if (error?.code === Code.Unauthenticated || error?.code === Code.PermissionDenied || error?.code === Code.InvalidArgument) {
      onConnection("refused");
      return;
    }
    onConnection("lost");
    await pause(wait, left);
    if (isOver(left)) return;
  }
}

// The signal changes while one waits, which the compiler can't know.
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}

// pause waits, but no longer than until the browser is online again or the page is left.
function pause(ms: number, left: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      window.removeEventListener("online", end);
      left.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    window.addEventListener("online", end);
    left.addEventListener("abort", end);
  });
}
