"""Other people's clients of the Bot Connector against the emulator: ``python bot_clients.py CLIENT JOB``, in an environment of theirs.

The job is JSON: url, tenant, app, user, token (of the Bot Connector), and an activity with its authorization. Each client opens the
person's conversation, sends, replaces and deletes a message, reads who is there, and checks the token that came with the activity.
"""

import asyncio
import json
import sys


async def connector(job):
    """botframework-connector, the older SDK's."""
    from botframework.connector.aio import ConnectorClient
    from botframework.connector.auth import ChannelValidation, SimpleCredentialProvider
    from botframework.connector.models import Activity, ChannelAccount, ConversationParameters
    from msrest.authentication import BasicTokenAuthentication

    client = ConnectorClient(BasicTokenAuthentication({"access_token": job["token"]}), base_url=job["url"] + "/teams/")
    calls = client.conversations
    members = [ChannelAccount(id=job["user"])]
    data = {"tenant": {"id": job["tenant"]}}
    asked = ConversationParameters(is_group=False, members=members, tenant_id=job["tenant"], channel_data=data)
    opened = await calls.create_conversation(asked)
    sent = await calls.send_to_conversation(opened.id, Activity(type="message", text="one"))
    await calls.update_activity(opened.id, sent.id, Activity(type="message", text="two"))
    found = await calls.get_conversation_paged_members(opened.id)
    await calls.delete_activity(opened.id, sent.id)
    # Its metadata lies at a host of its own.
    ChannelValidation.open_id_metadata_endpoint = job["url"] + "/v1/.well-known/openidconfiguration"
    identity = await ChannelValidation.authenticate_channel_token_with_service_url(
        job["authorization"], SimpleCredentialProvider(job["app"], "x"), job["activity"]["serviceUrl"], "msteams"
    )
    return [member.aad_object_id for member in found.members], identity.is_authenticated


async def teams(job):
    """microsoft-teams-apps, the newer SDK for Teams."""
    from microsoft_teams.api import Account, ApiClient, CreateConversationParams, MessageActivityInput
    from microsoft_teams.apps.auth.token_validator import JwtValidationOptions, TokenValidator
    from microsoft_teams.common import ClientOptions

    client = ApiClient(job["url"] + "/teams", ClientOptions(token=job["token"]))
    asked = CreateConversationParams(
        members=[Account(id=job["user"])], tenant_id=job["tenant"], channel_data={"tenant": {"id": job["tenant"]}}
    )
    opened = await client.conversations.create(asked)
    calls = client.conversations.activities(opened.id)
    sent = await calls.create(MessageActivityInput(text="one"))
    await calls.update(sent.id, MessageActivityInput(text="two"))
    found = await client.conversations.members(opened.id).get_paged()
    await calls.delete(sent.id)
    options = JwtValidationOptions(
        ["https://api.botframework.com"], [job["app"]], job["url"] + "/v1/.well-known/keys", job["activity"]["serviceUrl"]
    )
    claims = await TokenValidator(options).validate_token(job["authorization"].removeprefix("Bearer "))
    return [member.aad_object_id for member in found.members], claims["aud"] == job["app"]


async def agents(job):
    """microsoft-agents-hosting-core, the SDK that follows the older one."""
    from microsoft_agents.activity import Activity, ChannelAccount, ConversationParameters
    from microsoft_agents.hosting.core.authorization import AgentAuthConfiguration, JwtTokenValidator
    from microsoft_agents.hosting.core.authorization.jwt import jwt_token_validator
    from microsoft_agents.hosting.core.connector.client import ConnectorClient

    client = ConnectorClient(job["url"] + "/teams/", job["token"])
    calls = client.conversations
    data = {"tenant": {"id": job["tenant"]}}
    asked = ConversationParameters(
        is_group=False, members=[ChannelAccount(id=job["user"])], tenant_id=job["tenant"], channel_data=data
    )
    opened = await calls.create_conversation(asked)
    sent = await calls.send_to_conversation(opened.id, Activity(type="message", text="one"))
    await calls.update_activity(opened.id, sent.id, Activity(type="message", text="two"))
    found = await calls.get_conversation_paged_members(opened.id)
    await calls.delete_activity(opened.id, sent.id)
    await client.close()
    jwt_token_validator.BOTFRAMEWORK_JWKS_URIS["https://api.botframework.com"] = job["url"] + "/v1/.well-known/keys"
    validator = JwtTokenValidator(AgentAuthConfiguration(client_id=job["app"], tenant_id=job["tenant"]))
    identity = await validator.validate_token(job["authorization"].removeprefix("Bearer "))
    return [member.aad_object_id for member in found.members], identity.claims["aud"] == job["app"]


if __name__ == "__main__":
    run = {"connector": connector, "teams": teams, "agents": agents}[sys.argv[1]]
    print(json.dumps(asyncio.run(run(json.loads(sys.argv[2])))))
