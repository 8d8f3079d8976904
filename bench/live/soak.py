"""What a soak has to show, every ten minutes of it: memory and its parts, how often the service commits, and what that costs."""

span_s, ask_s = 600, 30
heads = ("minutes", "memory MB", "DuckDB's", "the rest", "s a commit", "cores", "lake GB", "CPU s by stage")


def mean(values):
    return sum(values) / len(values) if values else None


def counts(service, t, cpu_s):
    return t, service.metric("fleetflow_commits_total", result="ok") or 0, cpu_s, service.stage_cpu_s()


class Diary:
    """`note` is told of each sample; what DuckDB holds is asked every half minute, so it and the rest are of the same moments."""

    def __init__(self, say):
        self.say, self.rows, self.asked = say, [], -ask_s
        self.memory, self.shares, self.before = [], [], None

    def note(self, service, t, mb, cpu_s):
        self.before = self.before or counts(service, t, cpu_s)
        self.memory.append(mb)
        if t - self.asked >= ask_s:
            self.asked = t
            found = service.ask("select sum(memory_usage_bytes) / 1048576 from duckdb_memory()")
            if found:
                self.shares.append((float(found[0][0]), mb))
        if t - self.before[0] >= span_s:
            self.close(service, t, cpu_s)

    def close(self, service, t, cpu_s):
        """Ends a row; a restart of the service, whose counters begin anew, has none of them."""
        (from_t, commits, cpu, stages), self.before = self.before, counts(service, t, cpu_s)
        seconds, more = t - from_t, self.before[1] - commits
        spent = sorted(((s - stages.get(name, 0.0), name) for name, s in self.before[3].items()), reverse=True)
        self.rows.append((f"{from_t / 60:.0f} to {t / 60:.0f}", f"{mean(self.memory):,.0f}", *(f"{mean(part):,.0f}" if part else "-" for part in ([d for d, _ in self.shares], [mb - d for d, mb in self.shares])),
                          f"{seconds / more:.1f}" if more > 0 else "-", f"{(cpu_s - cpu) / seconds:.2f}", f"{(service.lake / 'lake.duckdb').stat().st_size / 1e9:.1f}",
                          ", ".join(f"{name} {s:.0f}" for s, name in spent if s >= 1 and not name.startswith("curate "))))  # a model's own are wall time
        self.memory, self.shares = [], []
        self.say(", ".join(f"{head} {cell}" for head, cell in zip(heads, self.rows[-1])))
