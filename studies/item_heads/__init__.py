"""Study of heads of items: are their parameters found again, and do joined questionnaires help each other?"""
