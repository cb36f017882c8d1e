/** How each number is measured: one line for each, by page. */

const WINDOW = {
  window:
    "Counters are read each second; a window is the newest reading less the one at its beginning. `start` is since the server started.",
};
const LATENCY = {
  "p50, p95, p99":
    "Wall time of calls that ended ok, from a histogram of 32 steps an octave: at most 1.6 % off. p95 needs 20 calls, p99 needs 100; fewer show –.",
};
const BUSY = {
  busy: "Time inside polls, summed: what the call kept a worker for. Busy share is busy time over wall time of all calls.",
};
const ALLOCATED = {
  allocated:
    "Bytes that polls of the call asked the allocator for, freed or not, counted on each thread. – where the counting allocator is not installed.",
};
const CPU = {
  "processor time":
    "The clock of the thread, read around each poll of a random sample of calls only, for a reading costs more than half a microsecond.",
};
const QUERIES = {
  SQL: "Statements that the driver reports, each attributed to the call that ran it. Its time ends when its stream was dropped, so reading the rows is in it.",
};
const CACHE = {
  cache:
    "Each call has exactly one outcome. Hit ratio: calls answered without a run of their own, of all but `bypass`. `coalesced` waited for the run of another call.",
};

export const NOTES = {
  overview: {
    ...WINDOW,
    "calls/min":
      "Calls that ended in the window, over its length. The line shows the last 5 minutes in steps of 5 s, each line on a scale of its own.",
    ok: "Calls that ended `ok` or asked for input, of all that ended. The other outcomes: `tool_error`, `error`, `cancelled`, `dropped`, `panic`.",
    ...CACHE,
    ...LATENCY,
    ...BUSY,
    ...ALLOCATED,
    ...QUERIES,
    "all components": "Sums and shares of sums. Percentiles cannot be added, so none is shown.",
  },
  component: {
    ...WINDOW,
    ...LATENCY,
    "latency over time":
      "Percentiles of each step of 5 s (windows of 1 and 5 minutes) or 60 s; a gap is a step with too few calls. The scale is logarithmic.",
    phases:
      "Where the wall time went: decoding arguments, looking into the cache, waiting for another run, waiting for a permit, your function, encoding the result.",
    ...BUSY,
    ...CPU,
    ...ALLOCATED,
    ...QUERIES,
    ...CACHE,
    "longest poll": "The longest single stretch that a call kept a worker without giving way.",
  },
  slow: {
    "kept calls":
      "Calls over their threshold, failed, with repeated SQL or that block: the newest 100, and the worst and the last of each component.",
    wall: "From the first poll to the end.",
    ...BUSY,
    ...QUERIES,
    why: "`slow`: over the threshold of its component. `blocks`: one poll kept a worker too long. `repeated_sql`: one statement many times. `hangs`: it still runs.",
  },
  call: {
    timeline:
      "Times count from the first poll. A row of statements holds every statement of one shape; the first 50 statements of a call are kept.",
    checkpoints:
      "What your code marks. Each difference is to the checkpoint before, the last one up to the end of the call.",
    ...BUSY,
    ...CPU,
    ...ALLOCATED,
    ...QUERIES,
  },
  sql: {
    statement:
      "The text with its values replaced by `?`: no literal is kept. The table is bounded; what does not fit is counted as dropped.",
    "total, mean, max":
      "From sending the statement until its stream was dropped: reading the rows is in it. Since the start.",
    slow: "Statements over the threshold for slow queries, 100 ms unless set.",
    "repeated in": "Calls in which the statement ran at least as often as the threshold for repeats, 5 unless set.",
    "pool waits": "How long calls waited for a connection of the pool.",
  },
  cache: {
    ...CACHE,
    levels:
      "Hits, misses and errors of each level, since the start. `pending`: writes that wait for a level that is down. `open`: the level is left out until it answers again.",
    "entries, bytes": "What the memory level holds, and the most that it may hold.",
  },
  runtime: {
    busy: "Time that the workers spent in polls, over their number and the time between the last readings.",
    processor: "Processor time of the whole process, over the time between the last readings: 100 % is one core.",
    "tasks, queue": "What the runtime reports: tasks alive, and tasks that wait in its global queue.",
    "resident memory": "Memory of the process as the system counts it.",
    dropped:
      "What the profiler could not keep because its tables are bounded, and the hours that Redis was away for; counts and percentiles lose nothing by it.",
  },
};
