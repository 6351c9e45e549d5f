"""What the suites of black-box tests have in common."""


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: measures time; run when no other test runs beside it")
