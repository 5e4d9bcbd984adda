"""The fixtures that users' own test suites get."""

from __future__ import annotations


def test_users_get_a_tenant(pytester):
    pytester.makepyfile(
        """
        from lakeflow_teams import TeamsClient

        def test_small(graph_emulator):
            rows = sum(len(batch) for batch in TeamsClient(graph_emulator.options).read("teams"))
            assert rows == len(graph_emulator.truth("teams"))

        def test_own(graph_emulator_factory):
            one, two = graph_emulator_factory(teams=1, seed=1), graph_emulator_factory(teams=3, seed=2)
            assert one.url != two.url
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=2)


def test_the_plugin_is_light(pytester):
    pytester.makepyfile(
        """
        import sys

        def test_nothing_heavy():
            assert not {"lakeflow_teams._core", "pyarrow", "deltalake", "rich"} & set(sys.modules)
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
