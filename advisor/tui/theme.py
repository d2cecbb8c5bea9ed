"""Our own two themes. Text on its ground has a contrast of at least 4.5 : 1 in both, which a test measures."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="advisor-dark",
    dark=True,
    primary="#7cb7ff",
    secondary="#8fd0c8",
    accent="#d2a8ff",
    foreground="#dce3ea",
    background="#0f1317",
    surface="#171c22",
    panel="#222a33",
    success="#5fce8b",
    warning="#e8b84f",
    error="#ff8a80",
    variables={
        "text-primary": "#7cb7ff",
        "text-secondary": "#8fd0c8",
        "text-accent": "#d2a8ff",
        "text-success": "#5fce8b",
        "text-warning": "#e8b84f",
        "text-error": "#ff8a80",
        "text-muted": "#a7b1bc",
        "text-disabled": "#a7b1bc",
        "border": "#7cb7ff",
        "border-blurred": "#5b6875",
        "block-cursor-background": "#7cb7ff",
        "block-cursor-foreground": "#0b1016",
        "input-cursor-background": "#dce3ea",
        "input-cursor-foreground": "#0b1016",
        "input-selection-background": "#2d4f78",
        "footer-key-foreground": "#7cb7ff",
        "scrollbar": "#4a5662",
        "scrollbar-background": "#171c22",
    },
)

LIGHT = Theme(
    name="advisor-light",
    dark=False,
    primary="#0b57a4",
    secondary="#0f6660",
    accent="#6f3fb5",
    foreground="#1b2027",
    background="#fafaf7",
    surface="#ffffff",
    panel="#e9edf1",
    success="#0f6a33",
    warning="#7a4b00",
    error="#b3211a",
    variables={
        "text-primary": "#0b57a4",
        "text-secondary": "#0f6660",
        "text-accent": "#6f3fb5",
        "text-success": "#0f6a33",
        "text-warning": "#7a4b00",
        "text-error": "#b3211a",
        "text-muted": "#4d5762",
        "text-disabled": "#4d5762",
        "border": "#0b57a4",
        "border-blurred": "#8a949e",
        "block-cursor-background": "#0b57a4",
        "block-cursor-foreground": "#ffffff",
        "input-cursor-background": "#1b2027",
        "input-cursor-foreground": "#ffffff",
        "input-selection-background": "#bcd7f5",
        "footer-key-foreground": "#0b57a4",
        "scrollbar": "#a3adb7",
        "scrollbar-background": "#ffffff",
    },
)

THEMES = (DARK, LIGHT)
