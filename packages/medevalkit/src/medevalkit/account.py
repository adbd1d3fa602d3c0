"""What answers cost: tokens, and money where prices are given."""

from dataclasses import dataclass

from medevalkit.settings import Endpoint

_PRICED = 1_000_000
"""Tokens that a price is for."""


@dataclass
class Account:
    """Tokens that went in and came out."""

    tokens_in: int = 0
    tokens_out: int = 0

    def add(self, tokens_in: int | None, tokens_out: int | None) -> None:
        """Adds an answer; None where its length was not said."""
        self.tokens_in += tokens_in or 0
        self.tokens_out += tokens_out or 0

    def cost(self, endpoint: Endpoint) -> float:
        """Returns the price, in the currency of the endpoint's prices."""
        whole = self.tokens_in * endpoint.price_in + self.tokens_out * endpoint.price_out
        return whole / _PRICED

    def text(self, endpoint: Endpoint) -> str:
        """Returns the account in words; without the cost where there are no prices."""
        cost = self.cost(endpoint)
        said = f"{self.tokens_in} tokens in, {self.tokens_out} out"
        return said + (f", cost {cost:.4f}" if cost else "")
