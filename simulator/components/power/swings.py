"""What a grid asks of a power trace: ramps, swings within seconds, its spectrum.

SciPy's filters are imported where they are used: loading them takes longer than most commands.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def ramp_w_s(
    power_w: Floats, dt_s: float, over_s: float, average_s: float = 0.0, least_w: float = 0.0
) -> float:
    """Return the largest change over `over_s`, per second; of the running mean over `average_s`. With
    `least_w` of those alone that are part of a change above it, from one turn to the next (`changes`).

    ValueError where the trace is shorter than both together.
    """
    lag, width = max(round(over_s / dt_s), 1), max(round(average_s / dt_s), 1)
    if power_w.size <= lag + width - 1:
        raise ValueError(f"needs more than {over_s + average_s:g} s")
    smooth_w = running_mean(power_w, width)
    if least_w <= 0.0:
        return float(np.abs(smooth_w[lag:] - smooth_w[:-lag]).max() / (lag * dt_s))
    steepest_w = 0.0
    for first, last in changes(smooth_w, least_w):
        part_w = smooth_w[first : last + 1]
        within = min(lag, last - first)  # a change that takes less time is over by then
        steepest_w = max(steepest_w, float(np.abs(part_w[within:] - part_w[: part_w.size - within]).max()))
    return steepest_w / (lag * dt_s)


def changes(power_w: Floats, least_w: float) -> list[tuple[int, int]]:
    """Return the first and last sample of every change above `least_w`: from a turn to the one after it, a turn
    being a high or low from which the trace comes back by more than that."""
    found, turn, high, low = [], 0, 0, 0
    rising = 0
    for k, value in enumerate(power_w.tolist()):
        high = k if value > power_w[high] else high
        low = k if value < power_w[low] else low
        if rising <= 0 and value - power_w[low] > least_w:
            if rising < 0:
                found.append((turn, low))
            turn, rising, high = low, 1, k
        elif rising >= 0 and power_w[high] - value > least_w:
            if rising > 0:
                found.append((turn, high))
            turn, rising, low = high, -1, k
    if rising != 0:
        found.append((turn, high if rising > 0 else low))
    return found


def running_mean(power_w: Floats, width: int) -> Floats:
    """Return means of `width` samples in a row; shorter by `width` - 1."""
    if width == 1:
        return power_w
    sums = np.concatenate(([0.0], np.cumsum(power_w)))
    means: Floats = (sums[width:] - sums[:-width]) / width
    return means


def peak_to_peak_w(power_w: Floats, dt_s: float, within_s: float) -> float:
    """Return the largest difference of two samples at most `within_s` apart."""
    from scipy import ndimage

    width = min(round(within_s / dt_s) + 1, power_w.size)
    high = ndimage.maximum_filter1d(power_w, width, mode="nearest")
    low = ndimage.minimum_filter1d(power_w, width, mode="nearest")
    return float((high - low).max())


@dataclass(frozen=True)
class Spectrum:
    """Amplitudes of a trace by frequency, without its mean and trend."""

    frequency_hz: Floats
    amplitude_w: Floats
    """Half the swing of a sine at that frequency (Hann window, its gain taken off)."""

    def share(self, low_hz: float, high_hz: float) -> float:
        """Return the share of all energy above 0 Hz that lies in a band."""
        energy = self.amplitude_w**2
        inside = (self.frequency_hz >= low_hz) & (self.frequency_hz <= high_hz)
        total = float(energy[1:].sum())
        return float(energy[inside].sum()) / total if total > 0.0 else 0.0

    def largest(self, low_hz: float, high_hz: float) -> tuple[float, float]:
        """Return frequency and amplitude of the largest line of a band."""
        inside = np.flatnonzero((self.frequency_hz >= low_hz) & (self.frequency_hz <= high_hz))
        if not inside.size:
            raise ValueError(f"no frequency of the trace lies between {low_hz:g} and {high_hz:g} Hz")
        top = inside[np.argmax(self.amplitude_w[inside])]
        return float(self.frequency_hz[top]), float(self.amplitude_w[top])


def spectrum(power_w: Floats, dt_s: float) -> Spectrum:
    """Return the amplitude spectrum of a trace."""
    from scipy import signal

    frequency, power = signal.periodogram(
        power_w, 1.0 / dt_s, window="hann", detrend="linear", scaling="spectrum"
    )
    return Spectrum(frequency, np.sqrt(2.0 * power))


def density(power_w: Floats, dt_s: float, length_s: float = 20.0) -> tuple[Floats, Floats]:
    """Return frequencies and power spectral density in W2/Hz (Welch, segments of `length_s`)."""
    from scipy import signal

    segment = min(round(length_s / dt_s), power_w.size)
    frequency, found = signal.welch(power_w, 1.0 / dt_s, nperseg=segment, detrend="linear")
    return frequency, found


def band_amplitude_w(power_w: Floats, dt_s: float, low_hz: float, high_hz: float) -> float:
    """Return half the largest swing of what a trace holds in a band of frequencies.

    Each end of the trace is tapered over a period of `low_hz`, a twentieth of it at least and a tenth
    at most, so that its being cut out does not count as a swing.
    """
    from scipy import signal

    if low_hz * power_w.size * dt_s < 1.0:
        raise ValueError(f"needs at least {1.0 / low_hz:g} s")
    taper = min(max(2.0 / (low_hz * power_w.size * dt_s), 0.1), 0.2)
    flat = signal.detrend(power_w) * signal.windows.tukey(power_w.size, taper)
    lines, frequency = np.fft.rfft(flat), np.fft.rfftfreq(flat.size, dt_s)
    lines[(frequency < low_hz) | (frequency > high_hz)] = 0.0
    inside = np.fft.irfft(lines, flat.size)
    return 0.5 * float(inside.max() - inside.min())
