"""The twelve tables that trees and reasons are compared on."""

TABLES = (
    "breast-cancer",
    "wine",
    "digits",
    "heart-disease",
    "pima-diabetes",
    "german-credit",
    "parkinsons",
    "magic",
    "adult",
    "compas",
    "letter-recognition",
    "diabetes",
)
