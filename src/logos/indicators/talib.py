"""Any function of TA-Lib as an indicator: `TALib("CCI", inputs=3, window=60, timeperiod=20)`.

TA-Lib computes over arrays, so a window of the past is given to it with each new figure: that is
far slower than the indicators of this package and, for functions that remember (exponential means),
only as exact as the window is long. The library is an extra, `talib`.
"""

from __future__ import annotations

from typing import Any

from logos.indicators.base import Indicator, check_period
from logos.installation import install_command


class TALib(Indicator):
    """The latest figure of a TA-Lib function over the last `window` inputs.

    `value` is its first output, `values` all of them. Raises ImportError, with the command that
    helps, where TA-Lib is not installed; ValueError for a function that it does not have.
    """

    __slots__ = ("_columns", "_parameters", "function", "values", "window")

    def __init__(self, function: str, *, inputs: int = 1, window: int, **parameters: float) -> None:
        super().__init__()
        if not hasattr(_library(), function):
            raise ValueError(f"TA-Lib has no function {function!r}")
        self.function = function
        self.window = check_period(window, least=2)
        self.values: list[float] = []
        self._parameters = parameters
        self._columns: list[list[float]] = [[] for _ in range(check_period(inputs))]

    def add(self, *figures: float) -> None:
        """Take in the next figures, one for each input, in the order of TA-Lib's documentation.

        Raises ValueError for another number of them.
        """
        import numpy  # TA-Lib brings it

        for column, figure in zip(self._columns, figures, strict=True):
            column.append(float(figure))
            if len(column) > self.window:
                del column[0]
        arrays = [numpy.array(column) for column in self._columns]
        output = getattr(_library(), self.function)(*arrays, **self._parameters)
        outputs = output if isinstance(output, tuple) else (output,)
        self.values = [float(each[-1]) for each in outputs]
        self.value = None if self.values[0] != self.values[0] else self.values[0]  # NaN: not yet


def _library() -> Any:
    try:
        import talib
    except ImportError:
        raise ImportError(f"TA-Lib is not installed: {install_command('talib')}") from None
    return talib
