"""Invented traffic over the pools of the invented campus: a cascade, moderation, a student, traces."""

import numpy as np
import pandas as pd

STREAMS = (  # class, stage, pool, role, work, input, output, quality, cut, share of its class
    ("ask", "moderation before", "chat-small", "moderation", 0.1, 900.0, 6.0, np.nan, 0.0, 1.0),
    ("ask", "answer 1", "chat-small", "first", 1.0, 900.0, 400.0, 0.84, 0.0, 0.7),
    ("ask", "answer 1", "reasoning", "student", 0.2, 900.0, 400.0, 0.8, 0.0, 0.3),
    ("ask", "answer 2", "chat-large", "escalation", 1.1, 900.0, 400.0, 0.78, 0.0, 0.2),
    ("think", "answer", "reasoning", "first", 2.0, 1500.0, 3000.0, 0.7, 0.15, 0.9),
    ("think", "answer", "chat-large", "spill", 2.0, 1500.0, 600.0, np.nan, 0.0, 0.1),
)
COUNTS = ("arrived", "served", "passed_on", "shed", "lost", "waiting")
PER_HOUR = {"ask": 3.6e6, "think": 4.0e5}


def tables(first: pd.Timestamp, days: int) -> dict[str, pd.DataFrame]:
    """Return the tables on routing and distillation; nothing is shed or lost, nothing waits."""
    hours = 24 * days
    streams = pd.DataFrame(
        [row[:-1] for row in STREAMS],
        columns=["class", "stage", "pool", "role", "work", "input_tokens", "output_tokens",
                 "quality", "cut_frac"],
    )  # fmt: skip
    streams.insert(0, "stream", range(len(STREAMS)))
    routes = _routes(first, hours)
    totals = routes.groupby("stream")[list(COUNTS)].sum()
    return {
        "streams": streams.join(totals, on="stream"),
        "routes": routes,
        "classes": _classes(hours),
        "distillations": _distillations(first),
    }


def _routes(first: pd.Timestamp, hours: int) -> pd.DataFrame:
    day = 1.0 + 0.4 * np.cos(2 * np.pi * (np.arange(hours) % 24 - 15) / 24)
    frames = []
    for number, (name, stage, *_, share) in enumerate(STREAMS):
        arrived = PER_HOUR[name] * share * day
        passed = {"moderation before": 1.0, "answer 1": 0.2 / 0.7}.get(stage, 0.0)
        if STREAMS[number][3] == "student":
            passed = 0.0
        frames.append(pd.DataFrame({
            "time": pd.date_range(first, periods=hours, freq="h"), "stream": number,
            "arrived": arrived, "served": arrived, "passed_on": passed * arrived, "shed": 0.0,
            "lost": 0.0, "waiting": 0.0, "latency_s": 2.0 + number,
        }))
    return pd.concat(frames).sort_values(["time", "stream"], ignore_index=True)


def _classes(hours: int) -> pd.DataFrame:
    rows = []
    for name, kind in (("ask", "cascade"), ("think", "spill")):
        day = 1.0 + 0.4 * np.cos(2 * np.pi * (np.arange(hours) % 24 - 15) / 24)
        arrived = float((PER_HOUR[name] * day).sum())
        kept = name == "think"
        rows.append({
            "class": name, "traffic": "door", "task": name, "policy": kind, "arrived": arrived,
            "served": arrived, "shed": 0.0, "lost": 0.0, "waiting": 0.0,
            "trace_bytes": 2e3 * kept, "token_bytes": 6.0 * kept, "keep_s": 864e3 * kept,
            "rack_bytes": 1e16 if kept else np.nan, "rack_w": 11e3 * kept,
        })
    return pd.DataFrame(rows)


def _distillations(first: pd.Timestamp) -> pd.DataFrame:
    return pd.DataFrame([{
        "job": "distil", "teacher": "deepseek-v3", "student": "llama-3.1-8b",
        "accelerator": "GB300", "accelerators": 288, "generation_s": 5e4, "training_s": 4e4,
        "written_tokens": 2e10, "trained_tokens": 2e11, "target_written_tokens": 2e10,
        "target_trained_tokens": 2e11, "accelerator_hours": 7500.0, "interruptions": 1,
        "ready": (first + pd.Timedelta("1D")).isoformat(), "class": "ask", "pool": "reasoning",
        "share": 0.3, "policy_accelerator_s": 0.3, "student_accelerator_s": 0.05,
        "policy_j": 300.0, "student_j": 40.0, "tokens": 400.0, "requests_per_s": 1000.0,
    }])  # fmt: skip
