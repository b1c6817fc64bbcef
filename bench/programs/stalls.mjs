// How long the event loop of this process does not come round, while somebody makes it work.
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

const histogram = monitorEventLoopDelay({ resolution: 1 });
let longest = 0;
let timer;

/** Begins to look. */
export function watchStalls() {
  longest = 0;
  histogram.reset();
  histogram.enable();
  let before = performance.now();
  const look = () => {
    const now = performance.now();
    longest = Math.max(longest, now - before);
    before = now;
    timer = setTimeout(look, 1);
  };
  timer = setTimeout(look, 1);
}

/**
 * Ends it. @returns milliseconds: the longest that a timer of one was kept waiting, by our own clock and by node's
 * `monitorEventLoopDelay`, and that of which 99 of 100 turns stay below.
 */
export function stallsSeen() {
  clearTimeout(timer);
  histogram.disable();
  return { longest, byNode: histogram.max / 1e6, ninetyNine: histogram.percentile(99) / 1e6 };
}
