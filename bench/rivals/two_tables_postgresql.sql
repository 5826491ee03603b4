CREATE TABLE rival_apikey (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, digest varchar(64) UNIQUE, account_id varchar(24),
    environment varchar(4), scopes jsonb, revoked_at timestamptz
);
INSERT INTO rival_apikey (digest, account_id, environment, scopes, revoked_at)
    SELECT digest, account_id, environment, scopes, revoked_at FROM accounts_apikey;
CREATE TABLE rival_conversation (
    id varchar(24) PRIMARY KEY, account_id varchar(24), environment varchar(4), lead_id varchar(64),
    agent_config_id varchar(24), channel varchar(8), lead_phone varchar(64), status varchar(10),
    current_stage_index integer, message_count integer, created_at timestamptz, updated_at timestamptz,
    campaign_id varchar(24), lead_email varchar(320), current_stage_name varchar(200), summary text, qualified boolean,
    qualification_reason text
);
INSERT INTO rival_conversation
    SELECT _id, account_id, environment, lead_id, agent_config_id, channel, lead_phone, status, current_stage_index,
           message_count, created_at, updated_at, campaign_id, lead_email, current_stage_name, summary, qualified,
           qualification_reason
    FROM conversations_conversation;
CREATE TABLE rival_message (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, conversation_id varchar(24), role varchar(6), content text,
    timestamp timestamptz, agent_config_id varchar(24)
);
INSERT INTO rival_message (conversation_id, role, content, timestamp, agent_config_id)
    SELECT _id, value ->> 'role', value ->> 'content', (value ->> 'timestamp')::timestamptz, value ->> 'agentConfigId'
    FROM conversations_conversation, json_array_elements(messages) WITH ORDINALITY AS message (value, number)
    ORDER BY _id, number;
CREATE INDEX newest ON rival_conversation (account_id, environment, updated_at DESC, id DESC);
CREATE INDEX of_conversation ON rival_message (conversation_id);
