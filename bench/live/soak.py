"""What a soak has to show, every ten minutes of it: memory and its parts, how often the service commits, and what that costs."""
from statistics import fmean

span_s, ask_s = 600, 30
heads = ("minutes", "memory MB", "at most", "DuckDB's", "the rest", "s a commit", "cores", "lake GB", "CPU s by stage")


def counts(service, t, cpu_s):
    return t, service.metric("fleetflow_commits_total", result="ok") or 0, cpu_s, service.stage_cpu_s()


def mean(values):
    return f"{fmean(values):,.0f}" if values else "-"


class Diary:
    """`note` is told of each sample; what DuckDB holds is asked every half minute, so it and the rest are of the same moments.
    OSError: the service does not answer; the next sample tries again."""

    def __init__(self, say):
        self.say, self.rows, self.asked, self.before = say, [], -ask_s, None
        self.begin()

    def begin(self):
        self.memory, self.duckdb, self.rest = [], [], []

    def note(self, service, t, mb, cpu_s):
        self.before = self.before or counts(service, t, cpu_s)
        self.memory.append(mb)
        if t - self.asked >= ask_s:
            self.asked = t
            found = service.ask("select sum(memory_usage_bytes) / 1048576 from duckdb_memory()")
            if found:
                self.duckdb.append(float(found[0][0]))
                self.rest.append(mb - self.duckdb[-1])
        if t - self.before[0] >= span_s:
            self.close(service, t, cpu_s)

    def close(self, service, t, cpu_s):
        """Ends a row; where the service began anew its counters did, too, and no commits or stages are shown."""
        (from_t, commits, cpu, stages), self.before = self.before, counts(service, t, cpu_s)
        seconds, more = t - from_t, self.before[1] - commits
        spent = {name: s - stages.get(name, 0.0) for name, s in self.before[3].items() if not name.startswith("curate ")}  # a model's own are wall time
        self.rows.append((f"{from_t / 60:.0f} to {t / 60:.0f}", mean(self.memory), f"{max(self.memory):,.0f}", mean(self.duckdb), mean(self.rest), f"{seconds / more:.1f}" if more > 0 else "-", f"{(cpu_s - cpu) / seconds:.2f}",
                          f"{(service.lake / 'lake.duckdb').stat().st_size / 1e9:.1f}", ", ".join(f"{name} {s:.0f}" for name, s in sorted(spent.items(), key=lambda each: -each[1]) if s >= 1)))
        self.begin()
        self.say(", ".join(f"{head} {cell}" for head, cell in zip(heads, self.rows[-1])))
