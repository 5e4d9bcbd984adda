# %% [markdown]
# Microsoft Teams in a notebook. It starts with an emulated tenant; the last cell is your own.

# %%
import polars as pl

from lakeflow_teams import GraphEmulator, TeamsClient

graph = GraphEmulator(teams=5, seed=7)
client = TeamsClient(graph.options)

# %% Every table goes to polars, pyarrow, pandas or duckdb in one call.
teams = pl.DataFrame(client.read("teams"))
messages = pl.DataFrame(client.read("messages", fetch_all_teams=True, fetch_all_channels=True))
print(messages.group_by("team_id").len().join(teams.select("id", "displayName"), left_on="team_id", right_on="id"))

# %% What it cost.
print(client.report)
graph.close()

# %% Your own tenant: set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, then
# client = TeamsClient.from_environment()
