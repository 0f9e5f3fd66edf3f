# SPDX-License-Identifier: Apache-2.0
"""What an app's scores mean, and the smallest one that a threshold accepts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction

from codegen.app.spec import Decision, Kind
from codegen.model.graph import Quantization

NEVER = 128  # a limit above every int8
ANOMALY_NEVER = (1 << 23) - 1  # above every error: (2 * 255)^2 * 32 is the largest
STEP_BITS = 12  # of a step of input or output after its point, in a difference of both
ERROR_BITS = 5  # of the square of a step after its point, in an error
_DIGITS = 60  # of a logit; a decimal's logit is 0 or irrational, so it is no score's value


@dataclass(frozen=True)
class Score:
    """Of one label: its value is (score - zero_point) * scale. never: a limit that no score reaches.

    logit: the value is a logit, whose sigmoid is what a threshold is compared with.
    """

    scale: Fraction
    zero_point: int
    never: int = NEVER
    logit: bool = False

    def exact(self, score: Fraction | int) -> Fraction:
        """Of a score: a share, or an error in the square of the input's unit. Of a logit to 60 digits."""
        real = (score - self.zero_point) * self.scale
        if not self.logit:
            return real
        with localcontext() as context:
            context.prec = _DIGITS
            return Fraction(1 / (1 + (-Decimal(real.numerator) / Decimal(real.denominator)).exp()))

    def value(self, score: int) -> float:
        """The same for a person."""
        return float(self.exact(int(score)))

    def text(self, score: int) -> str:
        """The same in words: 80.1%, or an error of 12.34."""
        return f"{self.value(score):.4g}" if self.never == ANOMALY_NEVER else f"{self.value(score):.1%}"

    def limit(self, threshold: Fraction) -> int:
        """The smallest score whose value reaches the threshold, exactly; `never` where there is none."""
        if self.logit and threshold in (0, 1):
            return self.never if threshold else -self.never
        least = math.ceil((logit(threshold) if self.logit else threshold) / self.scale) + self.zero_point
        return max(-128, min(self.never, least))

    def limits(self, decision: Decision) -> tuple[int, ...]:
        """Of each label's threshold."""
        return tuple(self.limit(threshold) for threshold in decision.thresholds)


@dataclass(frozen=True)
class Difference:
    """Integers of decision_anomaly.h: input_factor * input - output_factor * output + offset is how far an
    output is from its input, in 1/4096 of `step`, the larger of their steps."""

    input_factor: int
    output_factor: int
    offset: int
    step: Fraction


def difference(input_: Quantization, output: Quantization) -> Difference:
    """Of a model that gives back its input."""
    scales = [Fraction(input_.scale), Fraction(output.scale)]
    step = max(scales)
    ours, theirs = (math.floor((scale / step) * (1 << STEP_BITS) + Fraction(1, 2)) for scale in scales)
    return Difference(ours, theirs, theirs * output.zero_point - ours * input_.zero_point, step)


def score_of(kind: Kind, input_: Quantization, output: Quantization) -> Score:
    """What the scores of a model with these ends mean."""
    if kind is Kind.ANOMALY:
        return Score(difference(input_, output).step ** 2 / (1 << ERROR_BITS), 0, ANOMALY_NEVER)
    logit_ = kind is Kind.BINARY and not is_share(output)
    return Score(Fraction(output.scale), output.zero_point, logit=logit_)


def never_of(kind: Kind) -> int:
    """A limit that no score of this kind reaches; its negative one every score does."""
    return ANOMALY_NEVER if kind is Kind.ANOMALY else NEVER


def span(tensor: Quantization) -> tuple[float, float]:
    """The least and the largest value of an int8 tensor."""
    lowest, highest = ((value - tensor.zero_point) * tensor.scale for value in (-128, 127))
    return lowest, highest


def is_share(output: Quantization) -> bool:
    """Whether an int8 tensor spans about 0..1, as a softmax and a sigmoid do."""
    lowest, highest = span(output)
    return -0.05 <= lowest <= 0.05 and 0.9 <= highest <= 1.1


def logit(share: Fraction) -> Fraction:
    """ln(share / (1 - share)) of a share between 0 and 1, to 60 digits."""
    with localcontext() as context:
        context.prec = _DIGITS
        odds = share / (1 - share)
        return Fraction((Decimal(odds.numerator) / Decimal(odds.denominator)).ln())
