"""What a run spends: reserved before a call is sent, settled with what the endpoint counted."""

from dataclasses import dataclass

from lingshu_core.errors import SettingsError, Stopped
from lingshu_synth.call import Call
from lingshu_synth.prices import Price, load_prices, price_of, prompt_tokens
from lingshu_synth.settings import CallSettings


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call takes, before it is made."""

    tokens: int
    """Of prompt and longest reply."""
    most_usd: float | None
    """None where the model has no price."""


class Account:
    """Counts calls, tokens and money of one command, and holds it to its budget.

    Args:
        model: Logical name of the model.
        settings: Budget, prices, batch or not.

    Raises:
        SettingsError: There is a budget, and no price for the model.
    """

    def __init__(self, model: str, settings: CallSettings) -> None:
        self._batch = settings.batch
        self._budget = settings.budget
        self.price: Price | None = price_of(model, load_prices(settings.prices))
        if self._budget is not None and self.price is None:
            raise SettingsError(
                f"there is no price for {model!r}, so no budget can be kept: add it to a table and "
                "give --set calls.prices=FILE"
            )
        self.answered = 0
        self.prompt_tokens = 0
        self.reply_tokens = 0
        self.usd = 0.0
        self.perhaps_usd = 0.0
        """Of attempts that brought no reply and may have been paid all the same."""
        self.retried = 0
        self._reserved = 0.0

    def cost(self, call: Call) -> Cost:
        """Returns what a call takes at most."""
        prompt = prompt_tokens(call, self.price)
        longest = call.model.max_tokens
        most = None
        if self.price is not None:
            most = self.price.usd(prompt, longest, batch=self._batch)
        return Cost(prompt + longest, most)

    def reserve(self, cost: Cost) -> None:
        """Sets money aside for a call.

        Raises:
            Stopped: It would go over the budget.
        """
        most = cost.most_usd or 0.0
        committed = self.usd + self.perhaps_usd + self._reserved
        if self._budget is not None and committed + most > self._budget:
            raise Stopped(
                f"the budget of ${self._budget:.2f} is used up (${self.usd:.2f} spent); the same "
                "command goes on from here with as much again"
            )
        self._reserved += most

    def hold(self, usd: float) -> None:
        """Sets aside what an earlier run has ordered and this one will pay."""
        self._reserved += usd

    def refused(self, cost: Cost) -> None:
        """Books a call that was answered with an error, which costs nothing."""
        self.answered += 1
        self.release(cost, perhaps_paid=False)

    def settle(self, cost: Cost, prompt: int | None, reply: int | None) -> float | None:
        """Books a call that was answered and returns what it cost."""
        self._reserved -= cost.most_usd or 0.0
        self.answered += 1
        self.prompt_tokens += prompt or 0
        self.reply_tokens += reply or 0
        if self.price is None:
            return None
        if prompt is None or reply is None:
            paid = cost.most_usd or 0.0
        else:
            paid = self.price.usd(prompt, reply, batch=self._batch)
        self.usd += paid
        return paid

    def release(self, cost: Cost, *, perhaps_paid: bool) -> None:
        """Gives back what was set aside for an attempt that brought no reply."""
        self._reserved -= cost.most_usd or 0.0
        if perhaps_paid:
            self.perhaps_usd += cost.most_usd or 0.0

    def told(self) -> str:
        """Returns the account in one line."""
        money = f", ${self.usd:.2f}" if self.price is not None else ""
        return (
            f"{self.answered} calls answered, {self.prompt_tokens} + {self.reply_tokens} tokens"
            f"{money}" + (f", {self.retried} attempts repeated" if self.retried else "")
        )
