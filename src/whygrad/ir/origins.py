"""Where, by the source, the numbers of a value or a setting are decided."""

from dataclasses import dataclass

from whygrad.ir.sites import Site


@dataclass(frozen=True, slots=True)
class Origin:
    """One place that decides what a value or a setting is. Several of one subject stand with the nearest to its use first."""

    values: tuple[str, ...] = ()
    """Names of the values whose entries are decided here."""
    optimizer: str = ""
    """The optimizer whose setting it is."""
    setting: str = ""
    """`lr`, `eps`; `schedule`: the function that gives the factor of the rate; `written`: the one place that writes a rate into its groups; `scaler`: where its gradient scaler was made. Of values: `order`, what put
    one side of the data into another order; `unpacked`, the call whose result was taken apart into a value and the first input of the call that reads it; `untracked` (of the run): where tracking was switched off for good; `evaluated` (of the run): the backward of an evaluation whose gradients came into updates; `asked`, the list of what the gradient of a loss is asked for; `start`, the initialiser of a parameter; `chosen` (of parameters, by their names), what says that they are frozen; `carried`, the state that a loop's body hands back as it was given; `statistics`, a call that normalises by running statistics; `mode`, a dropout that is not told the mode; `seed`, the seeding of the generator that a draw is given;
    `dtype`, the call that gave the values theirs; `restart`, where an iterator is made anew for the first batch of it; `reseeded`, where the generator of its rows is made anew with one seed;
    `edited state` (of the run, with the model's name): where the dictionary that `state_dict()` returned is written to and lost;
    `penalty`, the regulariser of a parameter or its factor; `lambda`, the `Lambda` of Keras' that only calls the layer of a parameter; `mode asked` (of normalisation), what decides that it runs in evaluation mode; `turned` (of the run): where gradients are turned round, of updates that go uphill; `branch` (of labels), what decides whether the function that is given them reads them; `unkept` (of the run): where a function takes parameters over, and keeps what it makes of them from everybody;
    `frozen draw`, the call within a step that drew the rows which all recorded steps pick: it ran while the step was traced, and never again."""
    site: Site | None = None
