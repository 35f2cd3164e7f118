"""The neutral record of a run: plain, frozen data that no framework is needed to read."""

from whygrad.ir.births import Birth, Course, Stage
from whygrad.ir.fits import Collation, Fit, Turning
from whygrad.ir.kinds import KINDS, Kind, family, passing
from whygrad.ir.loadings import Loading, Redraw
from whygrad.ir.ops import Attribute, Graph, Op
from whygrad.ir.origins import Origin
from whygrad.ir.record import Batches, Ending, Framework, Group, Optimizer, Outcome, Plateau, Raised, Record
from whygrad.ir.sites import Frame, Site
from whygrad.ir.steps import Event, EventKind, GradientState, Labels, Measures, Parameter, Scope, Step
from whygrad.ir.trials import (
    Bypass,
    Descend,
    Differentiate,
    Follow,
    Intervention,
    Lift,
    Permute,
    Perturb,
    Reseed,
    Reshape,
    Reword,
    Standardise,
    Trial,
    Unhook,
    Vary,
)
from whygrad.ir.turns import Emptied
from whygrad.ir.values import ROLES, Role, Statistics, Value

__all__ = [
    "KINDS",
    "ROLES",
    "Attribute",
    "Batches",
    "Birth",
    "Bypass",
    "Collation",
    "Course",
    "Descend",
    "Differentiate",
    "Emptied",
    "Ending",
    "Event",
    "EventKind",
    "Fit",
    "Follow",
    "Frame",
    "Framework",
    "GradientState",
    "Graph",
    "Group",
    "Intervention",
    "Kind",
    "Labels",
    "Lift",
    "Loading",
    "Measures",
    "Op",
    "Optimizer",
    "Origin",
    "Outcome",
    "Parameter",
    "Permute",
    "Perturb",
    "Plateau",
    "Raised",
    "Record",
    "Redraw",
    "Reseed",
    "Reshape",
    "Reword",
    "Role",
    "Scope",
    "Site",
    "Stage",
    "Standardise",
    "Statistics",
    "Step",
    "Trial",
    "Turning",
    "Unhook",
    "Value",
    "Vary",
    "family",
    "passing",
]
