"""Profiles of requests against the public data they were made of, derived here anew."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simulator import catalog
from simulator.components import from_catalog
from simulator.components.request_profile import RANKS
from simulator.workloads.requests import drawn_mean

DATA = Path(__file__).parents[3] / "shared" / "data" / "llm_inference"
NAMES = catalog.names("demand")
SERVEGEN = {
    "assistant-small": ("m_small", "first48h_m_small"),
    "assistant-mid": ("m_mid", "first48h_m_mid"),
    "reasoning": ("reason_deepseek_r1", "reason_deepseek_r1"),
    "multimodal-image": ("multimodal_mm_image", "multimodal_mm_image"),
}
GRID = (np.arange(48) + 0.5) / 48
"""Mid-quantiles that stand for a window's text and image tokens where they are added up."""

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the public traces are not beside the repository")


@cache
def derived(name):
    """Return the figures of a profile from its data, by the keys of the catalog."""
    if name == "conversation":
        return from_requests(*azure())
    if name == "conversation-long":
        return from_requests(*mooncake())
    return from_servegen(*SERVEGEN[name])


def azure():
    table = pd.read_csv(DATA / "azure_llm_2023_conv.csv", parse_dates=["TIMESTAMP"])
    arrival_s = (table["TIMESTAMP"] - table["TIMESTAMP"].iloc[0]).dt.total_seconds()
    return arrival_s.to_numpy(), table["ContextTokens"], table["GeneratedTokens"], True


def mooncake():
    table = pd.read_json(DATA / "mooncake_conversation_trace.jsonl.gz", lines=True)
    arrival_s = table["timestamp"].to_numpy() / 1e3
    return arrival_s, table["input_length"], table["output_length"], False


def from_requests(arrival_s, asked, given, timed):
    """Return lengths and burstiness of single requests; `timed`: their times are not in batches."""
    gaps = np.diff(arrival_s)
    return {
        "input": lengths_of(asked.to_numpy(float), np.ones(len(asked))),
        "output": lengths_of(given.to_numpy(float), np.ones(len(given))),
        "rank_correlation": float(asked.corr(given, method="spearman")),
        **({"arrival_cv": float(gaps.std() / gaps.mean())} if timed else {}),
    }


def from_servegen(rates, lengths):
    """Return a profile of clients, each window of lengths weighted by the requests in it."""
    rate = pd.read_parquet(DATA / f"servegen_rates_{rates}.parquet")
    table = pd.read_parquet(DATA / f"servegen_lengths_{lengths}.parquet")
    window_s = rate["t_s"] // 21_600 * 21_600
    weight = rate.groupby(["client_id", window_s])["rate_rps"].sum()
    sides = ([window_values(group, weight) for _, group in split(table, "output_tokens")],
             inputs(table, weight))
    outputs, asked = sides
    found = {
        "input": lengths_of(*joined(asked)),
        "output": lengths_of(*joined(outputs)),
        "rank_correlation": between(asked, outputs),
        "arrival_cv": float(np.average(rate["cv"].dropna(), weights=rate["rate_rps"][rate["cv"].notna()])),
        **day_of(rate.groupby("t_s")["rate_rps"].sum()),
    }
    if "reason_ratio" in set(table["field"]):
        ratio = [window_values(group, weight) for _, group in split(table, "reason_ratio")]
        found["reasoning_frac"] = mean_of(ratio)
    if "image_tokens" in set(table["field"]):
        image = [window_values(group, weight) for _, group in split(table, "image_tokens")]
        found["image_tokens"] = mean_of(image)
    return found


def split(table, field):
    own = table[table["field"] == field]
    return own.groupby(["client_id", "window_start_s"], sort=True)


def window_values(group, weight):
    """Return (client and window, tokens, weights) of one histogram."""
    key = (group["client_id"].iloc[0], group["window_start_s"].iloc[0])
    total = float(weight.get(key, 0.0))
    prob = group["prob"].to_numpy(float)
    return key, group["value"].to_numpy(float), prob / prob.sum() * total


def inputs(table, weight):
    """Return inputs; text and image tokens of a window are taken as independent and added."""
    if "input_tokens" in set(table["field"]):
        return [window_values(group, weight) for _, group in split(table, "input_tokens")]
    made = []
    image = dict(iter(split(table, "image_tokens")))
    for key, group in split(table, "text_tokens"):
        _, text, share = window_values(group, weight)
        _, pictures, parts = window_values(image[key], weight)
        total = share.sum()
        if total > 0.0:
            sums = np.add.outer(quantiles(text, share, GRID), quantiles(pictures, parts, GRID)).ravel()
            made.append((key, sums, np.full(sums.size, total / sums.size)))
    return made


def joined(windows):
    return np.concatenate([w[1] for w in windows]), np.concatenate([w[2] for w in windows])


def mean_of(windows):
    values, weights = joined(windows)
    return float(np.average(values, weights=weights))


def quantiles(values, weights, ranks):
    """Return weighted quantiles, least and largest included."""
    order = np.argsort(values, kind="stable")
    mass = np.cumsum(weights[order])
    middle = (mass - 0.5 * weights[order]) / mass[-1]
    return np.interp(ranks, middle, values[order])


def lengths_of(values, weights):
    kept = weights > 0.0
    values, weights = values[kept], weights[kept]
    mean = float(np.average(values, weights=weights))
    spread = float(np.sqrt(np.average((values - mean) ** 2, weights=weights)))
    return {"mean": mean, "cv": spread / mean, "table": quantiles(values, weights, RANKS)}


def between(first, second):
    """Return Spearman's correlation of two sides that are independent inside a client's window."""
    ranks = []
    for side in (first, second):
        values, weights = joined(side)
        order = np.argsort(values, kind="stable")
        sorted_values, mass = values[order], np.cumsum(weights[order]) / weights.sum()
        below = np.concatenate(([0.0], mass))
        rank_of = {}
        for key, own, share in side:
            low = below[np.searchsorted(sorted_values, own, side="left")]
            high = below[np.searchsorted(sorted_values, own, side="right")]
            if share.sum() > 0.0:
                rank_of[key] = (float(np.average(0.5 * (low + high), weights=share)), share.sum())
        ranks.append(rank_of)
    keys = [key for key in ranks[0] if key in ranks[1]]
    weight = np.array([ranks[0][key][1] for key in keys])
    x, y = (np.array([side[key][0] for key in keys]) - 0.5 for side in ranks)
    return float(12.0 * np.average(x * y, weights=weight))


def day_of(rate):
    """Return the day's shape and the noise around it, of hours whose six windows all have requests:
    the others are gaps of the collection. A single day gives no noise; its spread is half that from
    the 16th to the 84th percentile, so that outages do not count."""
    complete = (rate > 0.0).groupby(rate.index // 3600).sum() == 6
    hourly = rate.groupby(rate.index // 3600).mean()[complete]
    day, hour = hourly.index // 24, hourly.index % 24
    level = hourly / hourly.groupby(day).transform("mean")
    shape = level.groupby(hour).mean()
    shape /= shape.mean()
    found = {"hours": shape.to_numpy()}
    if day.max() > 1:
        noise = np.log(level / shape.loc[hour].to_numpy())
        paired = noise.index[np.isin(noise.index + 1, noise.index)]
        found["variability"] = float(0.5 * np.diff(np.quantile(noise, [0.16, 0.84]))[0])
        before, after = noise.loc[paired].rank(), noise.loc[paired + 1].rank()
        found["persistence"] = float(np.corrcoef(before, after)[0, 1])
    return found


@needs_data
@pytest.mark.parametrize("name", sorted(set(NAMES) - {"code"}))
def test_a_profile_says_what_its_data_say(name):
    profile, found = from_catalog.request_profile(name), derived(name)
    for side in ("input", "output"):
        own = getattr(profile, side)
        assert own.mean == pytest.approx(found[side]["mean"], rel=0.01)
        assert own.cv == pytest.approx(found[side]["cv"], rel=0.01)
        np.testing.assert_allclose(own.table, found[side]["table"], rtol=0.02, atol=1.0)
    for key in ("rank_correlation", "arrival_cv", "reasoning_frac", "image_tokens", "hours",
                "variability", "persistence"):
        if key in found:
            np.testing.assert_allclose(getattr(profile, key), found[key], rtol=0.02, atol=0.006)


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_is_sound(name):
    profile = from_catalog.request_profile(name)
    assert profile.name == name
    for side in (profile.input, profile.output):
        assert drawn_mean(side) == pytest.approx(side.mean, rel=0.12)
    if profile.hours:
        assert np.mean(profile.hours) == pytest.approx(1.0, abs=0.01)
    assert all(evidence in ("measured", "derived", "assumed")
               for _, _, _, evidence, _ in catalog.figures("demand", name))
