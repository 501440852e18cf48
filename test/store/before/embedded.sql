CREATE TABLE accounts (
  id TEXT PRIMARY KEY,
  organization TEXT NOT NULL,
  email_folded TEXT,
  username_folded TEXT,
  version INTEGER NOT NULL,
  last_sign_in_at INTEGER,
  record TEXT NOT NULL
) STRICT;
INSERT INTO accounts VALUES ('acc_TEGRSwqnDxnVciO0AXa85KeQLnVHx2CNAoHq60fXba4', 'default', 'mara@clinic.test', NULL, 1, 2208988809962, '{"id":"acc_TEGRSwqnDxnVciO0AXa85KeQLnVHx2CNAoHq60fXba4","organization":"default","status":"active","emailVerified":true,"claims":{"given_name":"Mara","family_name":"Ito"},"roles":[],"aliases":{"visitnote":"5f0c7a52-6f0e-4f0b-9d2c-0c2f5b7f1a01"},"vendor":{"visitnote":{"subscription_status":"active","trial_ends_at":null,"needs_onboarding":false,"discipline":"PT","license_number":null,"license_state":null,"organization_uuid":null}},"createdAt":"2040-01-01T00:00:05.937Z","updatedAt":"2040-01-01T00:00:05.937Z","version":1,"email":"mara@clinic.test","passwordHash":"$argon2id$v=19$m=19456,t=2,p=1$fbNTnjypths69hY3szuv2A$9QBajnh8qYFHTkgEM6r4SlYs+INjWMfN50CCNzX2LoY"}');
INSERT INTO accounts VALUES ('acc_LRRdP_SG2Q2we_NCh6WdwO_tNTX_O8cmkzhUQS_KbA8', 'default', 'n.okafor@ward.test', NULL, 1, NULL, '{"id":"acc_LRRdP_SG2Q2we_NCh6WdwO_tNTX_O8cmkzhUQS_KbA8","organization":"default","status":"active","emailVerified":true,"claims":{"given_name":"Ngozi","family_name":"Okafor"},"roles":[],"aliases":{"medisync":"user_900001"},"vendor":{"medisync":{"title":"Dr.","specialty":"Neurology","ehr_system_type":"Cerner","ehr_system_name":"North Ward","subscriptionActive":true,"subscriptionExpiry":"2031-12-31T23:59:59.000Z"}},"createdAt":"2030-01-01T10:00:00.000Z","updatedAt":"2030-01-15T14:30:00.000Z","version":1,"email":"n.okafor@ward.test","passwordHash":"$argon2id$v=19$m=19456,t=2,p=1$2wkqOmH4X6M4Oly2xlyDXw$Pyi0kMeB87s4Um79asn4D/NpauIw++EiH+9KhLRpEyk"}');
INSERT INTO accounts VALUES ('acc_RUQCamvzP4mjvUGDZJ3n9V0Te06H1eK_SusbN7cNVZs', 'default', 'nopass@ward.test', NULL, 1, NULL, '{"id":"acc_RUQCamvzP4mjvUGDZJ3n9V0Te06H1eK_SusbN7cNVZs","organization":"default","status":"active","emailVerified":true,"claims":{"given_name":"Nils","family_name":"Passmore"},"roles":[],"aliases":{"medisync":"user_900003"},"vendor":{},"createdAt":"2040-01-01T00:00:06.008Z","updatedAt":"2040-01-01T00:00:06.008Z","version":1,"email":"nopass@ward.test"}');
INSERT INTO accounts VALUES ('acc_m_tjC877EBcxtsck5tKj6rdWGcgDYLmDvHhdYC5t9MY', 'default', 'unverified@ward.test', NULL, 1, NULL, '{"id":"acc_m_tjC877EBcxtsck5tKj6rdWGcgDYLmDvHhdYC5t9MY","organization":"default","status":"active","emailVerified":false,"claims":{"given_name":"Udo","family_name":"Brandt"},"roles":[],"aliases":{"medisync":"user_900002"},"vendor":{"medisync":{"title":"Nurse","specialty":"Surgery","ehr_system_type":"Epic","ehr_system_name":"East","subscriptionActive":false,"subscriptionExpiry":null}},"createdAt":"2040-01-01T00:00:06.124Z","updatedAt":"2040-01-01T00:00:06.124Z","version":1,"email":"unverified@ward.test","passwordHash":"$argon2id$v=19$m=19456,t=2,p=1$VIkbVh7tZyvcns1B5wwS7g$BzI248MtI5F0RuxHwg/HNtb0YULtcksK2eDukTcaaPs"}');
INSERT INTO accounts VALUES ('acc_BAkvdu-31VRT3dqkwfYk9kCKdlK92kqM8WyHLbkWvnQ', 'default', 'patient@clinic.test', NULL, 1, NULL, '{"id":"acc_BAkvdu-31VRT3dqkwfYk9kCKdlK92kqM8WyHLbkWvnQ","organization":"default","status":"active","emailVerified":true,"claims":{"given_name":"Petra","family_name":"Low"},"roles":["patient"],"aliases":{},"vendor":{},"createdAt":"2040-01-01T00:00:06.171Z","updatedAt":"2040-01-01T00:00:06.171Z","version":1,"email":"patient@clinic.test","passwordHash":"$argon2id$v=19$m=19456,t=2,p=1$DJ/SKpv6zeeqPC3boaxSEw$RskUxpy4Qvuffb4ZeVt30eYHUFqq1WYlrw39APy8k4U"}');
INSERT INTO accounts VALUES ('acc_aUYiTAgLDMbJg-SnI4Giw2Dxns59Iny0zwQ2ZNHdJpY', 'north_clinic', 'lea@x.test', NULL, 1, NULL, '{"id":"acc_aUYiTAgLDMbJg-SnI4Giw2Dxns59Iny0zwQ2ZNHdJpY","organization":"north_clinic","status":"active","emailVerified":true,"claims":{"given_name":"Lea","family_name":"Moss","gender":"female","birthdate":"1991-05-04","phone_number":"+15555550142"},"roles":["patient"],"aliases":{"careportals":"64b0c0ffee00000000000042"},"vendor":{},"createdAt":"2040-01-01T00:00:06.253Z","updatedAt":"2040-01-01T00:00:06.253Z","version":1,"email":"lea@x.test","passwordHash":"$argon2id$v=19$m=19456,t=2,p=1$62QUzecbbr6605QIvMhJKg$R4KIiWLKXFWKbr9wrKT8Ck7+pwYdRaZKnVwd8n0wmfk"}');
INSERT INTO accounts VALUES ('acc_29IkqyfvlKLrMyUjcS4dCs-CJeBgiRU84v1HuA6fnnk', 'south_clinic', 'lea@x.test', NULL, 1, NULL, '{"id":"acc_29IkqyfvlKLrMyUjcS4dCs-CJeBgiRU84v1HuA6fnnk","organization":"south_clinic","status":"active","emailVerified":true,"claims":{"given_name":"Leandra","family_name":"Mossman","gender":"female","birthdate":"1978-11-30","phone_number":"+15555550199"},"roles":["patient"],"aliases":{"careportals":"64b0c0ffee00000000000043"},"vendor":{},"createdAt":"2040-01-01T00:00:06.343Z","updatedAt":"2040-01-01T00:00:06.343Z","version":1,"email":"lea@x.test","passwordHash":"$argon2id$v=19$m=19456,t=2,p=1$6vfGMCnXB545WQB8ZoTy8g$5nUsYAI5ekteiZom6xXGfpem0fiFuLCH/2dHxOOieg8"}');
INSERT INTO accounts VALUES ('acc_2XYby0sfVTcHX7CpjdLpeIeuzGZbsFtgHj_Dio-HU0Y', 'default', 'codes@clinic.test', NULL, 1, NULL, '{"id":"acc_2XYby0sfVTcHX7CpjdLpeIeuzGZbsFtgHj_Dio-HU0Y","organization":"default","status":"active","emailVerified":true,"claims":{"name":"Dr. Nils Ek"},"roles":["doctor"],"aliases":{"avycenna":"usr_C0de0n1y"},"vendor":{"avycenna":{"role":"doctor","specialty":null,"institution":null,"phone":null}},"createdAt":"2030-02-01T12:30:45.678Z","updatedAt":"2030-02-01T12:30:45.678Z","version":1,"email":"codes@clinic.test"}');
INSERT INTO accounts VALUES ('acc_323BgCHKdBSrfN8oxeRefcLHDXeE5LYMzpilr3QrTaw', 'default', 'dr@clinic.test', NULL, 1, NULL, '{"id":"acc_323BgCHKdBSrfN8oxeRefcLHDXeE5LYMzpilr3QrTaw","organization":"default","status":"active","emailVerified":true,"claims":{"name":"Dr. Ana Reis"},"roles":["doctor"],"aliases":{"avycenna":"usr_Ab3dE5gH"},"vendor":{"avycenna":{"role":"doctor","specialty":"Internal Medicine","institution":"City Medical Center","phone":null}},"createdAt":"2030-01-15T09:00:00.000Z","updatedAt":"2030-01-15T09:00:00.000Z","version":1,"email":"dr@clinic.test","passwordHash":"$argon2id$v=19$m=19456,t=2,p=1$NINCn9eh88/A3SEgQoQElA$YiDg64i9W21ChD6cSUfCShczfDlGJwpTB9SZn9bx/zE"}');
INSERT INTO accounts VALUES ('acc_fWYwpS6eB5eNyQQmXFqibcBxkwggbZ1rhOfa0HB31ik', 'default', 'chief@clinic.test', NULL, 1, NULL, '{"id":"acc_fWYwpS6eB5eNyQQmXFqibcBxkwggbZ1rhOfa0HB31ik","organization":"default","status":"active","emailVerified":true,"claims":{"name":"Dr. Ivo Lenz"},"roles":["admin"],"aliases":{"avycenna":"usr_Ch1efAdm"},"vendor":{"avycenna":{"role":"admin","specialty":null,"institution":"City Medical Center","phone":null}},"createdAt":"2030-01-10T08:00:00.000Z","updatedAt":"2030-01-10T08:00:00.000Z","version":1,"email":"chief@clinic.test","passwordHash":"$argon2id$v=19$m=19456,t=2,p=1$j8F5XMeSm+eqVgV69nwPhw$4NAEqKwoqncWBM2Z/Er54ffly1/K113UXjvfdGlNQME"}');
INSERT INTO accounts VALUES ('acc_lLtRsgPRuD-NkpxB8vRQ89EI-2Ix80SUFQmqqq-eDjQ', 'clinicdev', 'pat@x.test', 'pat@x.test', 2, 2208988811053, '{"id":"acc_lLtRsgPRuD-NkpxB8vRQ89EI-2Ix80SUFQmqqq-eDjQ","organization":"clinicdev","status":"active","emailVerified":true,"claims":{"given_name":"Pat","family_name":"One","gender":"female","birthdate":"1990-01-01","zoneinfo":"America/New_York","phone_number":"4085550100","address":{"street_address":"1 Main St","locality":"San Jose","region":"CA","postal_code":"95112"}},"roles":[],"aliases":{"vsee":"20000000001"},"vendor":{"vsee":{"code":"d92559b8600a68899806ba7f88285128","type":200,"subtype":"","tos":true,"nationality":"US","pcp_name":"Dr. Grey","pcp_phone":"4085550111"}},"createdAt":"2040-01-01T00:00:06.499Z","updatedAt":"2040-01-01T00:00:06.499Z","version":1,"email":"pat@x.test","username":"pat@x.test","passwordHash":"$argon2id$v=19$m=19456,t=2,p=1$iru+F/ELYdo2Oa7qYbHmNg$YTaByNgKjtEFXGhcvJ/HnJg+KKoJw40QIdjUvdttrb0","lastSignInAt":"2040-01-01T00:00:11.053Z"}');
INSERT INTO accounts VALUES ('acc_892bGgYf9QNCwmNBTE_BVOKt11RoWSjhQWeczMbaQmk', 'clinicdev', 'newcomer@x.test', NULL, 1, NULL, '{"id":"acc_892bGgYf9QNCwmNBTE_BVOKt11RoWSjhQWeczMbaQmk","organization":"clinicdev","status":"inactive","emailVerified":false,"claims":{"given_name":"Nova","family_name":"Comer"},"roles":[],"aliases":{"vsee":"20000000003"},"vendor":{"vsee":{"type":200,"subtype":"","tos":false}},"createdAt":"2040-01-01T00:00:06.515Z","updatedAt":"2040-01-01T00:00:06.515Z","version":1,"email":"newcomer@x.test"}');
INSERT INTO accounts VALUES ('acc_nDPUJFuJj63yvqOnRpV6qj5lrdKZhNdM_7NixgBraHc', 'clinicdev', 'doc@x.test', 'doc@x.test', 1, NULL, '{"id":"acc_nDPUJFuJj63yvqOnRpV6qj5lrdKZhNdM_7NixgBraHc","organization":"clinicdev","status":"active","emailVerified":true,"claims":{"given_name":"Dana","family_name":"Doc","gender":"male","birthdate":"1975-06-07","zoneinfo":"America/Los_Angeles"},"roles":[],"aliases":{"vsee":"20000000002"},"vendor":{"vsee":{"type":400,"subtype":"482","tos":true}},"createdAt":"2040-01-01T00:00:06.599Z","updatedAt":"2040-01-01T00:00:06.599Z","version":1,"email":"doc@x.test","username":"doc@x.test","passwordHash":"$argon2id$v=19$m=19456,t=2,p=1$uhSoRcHBRd3oSMryettUcQ$FFe9gV8DEAO8IRnRrb2X8e9v0OHpdOF02ZW82oyyEHM"}');
INSERT INTO accounts VALUES ('acc_uRy9F3MQEJcWL8gSIoT5y3SoUx8fMIxWPcA7IzzaYRY', 'clinicdev', 'rich@x.test', 'rich@x.test', 1, NULL, '{"id":"acc_uRy9F3MQEJcWL8gSIoT5y3SoUx8fMIxWPcA7IzzaYRY","organization":"clinicdev","status":"active","emailVerified":true,"claims":{"given_name":"Ricardo","family_name":"Full","picture":"https://pictures.x.test/rich.png","gender":"male","birthdate":"1980-01-01","zoneinfo":"Europe/Berlin"},"roles":[],"aliases":{"vsee":"20000000004"},"vendor":{"vsee":{"type":200,"subtype":"","tos":true,"code":"7c1e5a90d3b24f68a1c07e9b52d84f36","extra":{"marital_status":"married","gender_identity":"Choose Not To Disclose","social_security_no":"","veteran":"","race":"","ethnicity":"","health_insurance":"","insurance":"","insurance_policy_number":"","attachments":null,"emerg_contact_name":""},"rooms":[{"id":"865244556","code":"dev_room","slug":"uat","name":"UAT","account_code":"clinicdev","domain":"clinicdev.vsee.me","default":true,"added_time":1677096710,"source":"signup"}]}},"createdAt":"2030-02-01T00:00:00.000Z","updatedAt":"2030-02-01T00:00:00.000Z","version":1,"email":"rich@x.test","username":"rich@x.test","passwordHash":"$argon2id$v=19$m=19456,t=2,p=1$p28dB+ReF4S6yM0npcwp2A$TAb4tfD09lWwT1yA91xUMfCxI3ukNT2TJrc0F1H3Rog"}');
INSERT INTO accounts VALUES ('acc_C0ldyLXQVCe7MI0OYeTJYkJXJqjrBojqJ-MVtxNOsCk', 'default', 'blocked@clinic.test', NULL, 1, NULL, '{"id":"acc_C0ldyLXQVCe7MI0OYeTJYkJXJqjrBojqJ-MVtxNOsCk","organization":"default","status":"blocked","emailVerified":true,"claims":{"given_name":"Blair","family_name":"Locke"},"roles":[],"aliases":{"visitnote":"5f0c7a52-6f0e-4f0b-9d2c-0c2f5b7f1a99","medisync":"user_900099","avycenna":"usr_Bl0ckedU"},"vendor":{},"createdAt":"2040-01-01T00:00:06.702Z","updatedAt":"2040-01-01T00:00:06.702Z","version":1,"email":"blocked@clinic.test","passwordHash":"$argon2id$v=19$m=19456,t=2,p=1$sFKe9UMKWrj60DefNSJ8Cw$NtpqRv4K87Sd3c4XreD/h8TuGQP24CQ7xyg2n0c58c8"}');
CREATE TABLE account_aliases (
  alias TEXT NOT NULL,
  value TEXT NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  PRIMARY KEY (alias, value)
) STRICT, WITHOUT ROWID;
INSERT INTO account_aliases VALUES ('careportals', '64b0c0ffee00000000000043', 'acc_29IkqyfvlKLrMyUjcS4dCs-CJeBgiRU84v1HuA6fnnk');
INSERT INTO account_aliases VALUES ('avycenna', 'usr_C0de0n1y', 'acc_2XYby0sfVTcHX7CpjdLpeIeuzGZbsFtgHj_Dio-HU0Y');
INSERT INTO account_aliases VALUES ('avycenna', 'usr_Ab3dE5gH', 'acc_323BgCHKdBSrfN8oxeRefcLHDXeE5LYMzpilr3QrTaw');
INSERT INTO account_aliases VALUES ('vsee', '20000000003', 'acc_892bGgYf9QNCwmNBTE_BVOKt11RoWSjhQWeczMbaQmk');
INSERT INTO account_aliases VALUES ('avycenna', 'usr_Bl0ckedU', 'acc_C0ldyLXQVCe7MI0OYeTJYkJXJqjrBojqJ-MVtxNOsCk');
INSERT INTO account_aliases VALUES ('medisync', 'user_900099', 'acc_C0ldyLXQVCe7MI0OYeTJYkJXJqjrBojqJ-MVtxNOsCk');
INSERT INTO account_aliases VALUES ('visitnote', '5f0c7a52-6f0e-4f0b-9d2c-0c2f5b7f1a99', 'acc_C0ldyLXQVCe7MI0OYeTJYkJXJqjrBojqJ-MVtxNOsCk');
INSERT INTO account_aliases VALUES ('medisync', 'user_900001', 'acc_LRRdP_SG2Q2we_NCh6WdwO_tNTX_O8cmkzhUQS_KbA8');
INSERT INTO account_aliases VALUES ('medisync', 'user_900003', 'acc_RUQCamvzP4mjvUGDZJ3n9V0Te06H1eK_SusbN7cNVZs');
INSERT INTO account_aliases VALUES ('visitnote', '5f0c7a52-6f0e-4f0b-9d2c-0c2f5b7f1a01', 'acc_TEGRSwqnDxnVciO0AXa85KeQLnVHx2CNAoHq60fXba4');
INSERT INTO account_aliases VALUES ('careportals', '64b0c0ffee00000000000042', 'acc_aUYiTAgLDMbJg-SnI4Giw2Dxns59Iny0zwQ2ZNHdJpY');
INSERT INTO account_aliases VALUES ('avycenna', 'usr_Ch1efAdm', 'acc_fWYwpS6eB5eNyQQmXFqibcBxkwggbZ1rhOfa0HB31ik');
INSERT INTO account_aliases VALUES ('vsee', '20000000001', 'acc_lLtRsgPRuD-NkpxB8vRQ89EI-2Ix80SUFQmqqq-eDjQ');
INSERT INTO account_aliases VALUES ('medisync', 'user_900002', 'acc_m_tjC877EBcxtsck5tKj6rdWGcgDYLmDvHhdYC5t9MY');
INSERT INTO account_aliases VALUES ('vsee', '20000000002', 'acc_nDPUJFuJj63yvqOnRpV6qj5lrdKZhNdM_7NixgBraHc');
INSERT INTO account_aliases VALUES ('vsee', '20000000004', 'acc_uRy9F3MQEJcWL8gSIoT5y3SoUx8fMIxWPcA7IzzaYRY');
CREATE TABLE identities (
  organization TEXT NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  account_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (organization, issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE TABLE organizations (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
INSERT INTO organizations VALUES ('default', '{"id":"default","name":"Default","hosts":[],"vendor":{}}');
INSERT INTO organizations VALUES ('north_clinic', '{"id":"north_clinic","name":"North Clinic","hosts":["north-clinic.portal.test"],"vendor":{}}');
INSERT INTO organizations VALUES ('south_clinic', '{"id":"south_clinic","name":"South Clinic","hosts":["south-clinic.portal.test"],"vendor":{}}');
INSERT INTO organizations VALUES ('clinicdev', '{"id":"clinicdev","name":"Clinic Dev","hosts":[],"vendor":{"vsee":{"sso":true,"vseeid_prefix":"clinicdev","portal":"http://portal.clinicdev.test"}}}');
INSERT INTO organizations VALUES ('clinicroll', '{"id":"clinicroll","name":"Clinic Roll","hosts":[],"vendor":{"vsee":{"sso":false,"vseeid_prefix":"roll","eligibility":[{"first_name":"Ella","last_name":"Roster","dob":"1988-10-02","ssn":"1234"}]}}}');
INSERT INTO organizations VALUES ('clinicoff', '{"id":"clinicoff","name":"Clinic Off","hosts":[],"vendor":{"vsee":{"sso":false,"vseeid_prefix":"clinicoff"}}}');
CREATE TABLE organization_hosts (
  host TEXT PRIMARY KEY,
  organization TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO organization_hosts VALUES ('north-clinic.portal.test', 'north_clinic');
INSERT INTO organization_hosts VALUES ('south-clinic.portal.test', 'south_clinic');
CREATE TABLE clients (client_id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
INSERT INTO clients VALUES ('records-api', '{"clientId":"records-api","organization":"default","secretHash":"T1Y5ihW62VmkjPeb0X5CgpZiVVkBEXorliQ54ZpTBeM","allOrganizations":true,"firstParty":false,"introspects":["visitnote-legacy","medisync-legacy","careportals-legacy","avycenna-legacy","vsee-legacy"],"revokes":["visitnote-legacy","medisync-legacy","careportals-legacy","avycenna-legacy","vsee-legacy"],"metadata":{"client_name":"Records","redirect_uris":[],"grant_types":["client_credentials"],"response_types":[],"token_endpoint_auth_method":"client_secret_basic"}}');
INSERT INTO clients VALUES ('stranger-api', '{"clientId":"stranger-api","organization":"default","secretHash":"KwuQ3S9njzexBNdPZYFZJfBIZnx7dnPgVgn93dvEjrQ","allOrganizations":false,"firstParty":false,"introspects":[],"revokes":[],"metadata":{"client_name":"Stranger","redirect_uris":[],"grant_types":["client_credentials"],"response_types":[],"token_endpoint_auth_method":"client_secret_basic"}}');
INSERT INTO clients VALUES ('web-app', '{"clientId":"web-app","organization":"default","secretHash":"t7qSmcy_-f0zrGEsl9MQkBNwLiPK_tkT4cZWBovPzW0","allOrganizations":false,"firstParty":false,"introspects":[],"revokes":[],"metadata":{"client_name":"Web App","redirect_uris":["https://app.test/callback"],"post_logout_redirect_uris":["https://app.test/signed-out"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"scope":"openid profile email phone address organization roles offline_access","token_endpoint_auth_method":"client_secret_basic"}}');
INSERT INTO clients VALUES ('web-app-post', '{"clientId":"web-app-post","organization":"default","secretHash":"LiOCtWweqoZDRqh5yX7YEMnrcjZAJwg_29VBeFZkswQ","allOrganizations":false,"firstParty":false,"introspects":[],"revokes":[],"metadata":{"client_name":"Web App with a posted secret","redirect_uris":["https://post.test/callback"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"scope":"openid profile email offline_access","token_endpoint_auth_method":"client_secret_post"}}');
INSERT INTO clients VALUES ('native-app', '{"clientId":"native-app","organization":"default","allOrganizations":false,"firstParty":false,"introspects":[],"revokes":[],"metadata":{"client_name":"Native App","application_type":"native","redirect_uris":["http://127.0.0.1/callback"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"scope":"openid profile email offline_access","token_endpoint_auth_method":"none"}}');
INSERT INTO clients VALUES ('clinicdev-app', '{"clientId":"clinicdev-app","organization":"clinicdev","secretHash":"uQmkdNo2xrq7pgrq6zU7CEPRbzeiPBvkn4_4PyT4EIg","allOrganizations":false,"firstParty":false,"introspects":[],"revokes":[],"metadata":{"client_name":"Clinic Dev App","redirect_uris":["https://clinicdev.test/callback"],"post_logout_redirect_uris":["https://clinicdev.test/signed-out"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"scope":"openid profile email offline_access","token_endpoint_auth_method":"client_secret_basic"}}');
INSERT INTO clients VALUES ('own-app', '{"clientId":"own-app","organization":"default","secretHash":"UIIJ3SrNECSvs0C8rSQ7U1S0zWGXFijkNqIbqHWpyY0","allOrganizations":false,"firstParty":true,"introspects":[],"revokes":[],"metadata":{"client_name":"Own App","redirect_uris":["https://own.test/callback"],"post_logout_redirect_uris":["https://own.test/signed-out"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"scope":"openid profile email organization roles offline_access","token_endpoint_auth_method":"client_secret_basic"}}');
INSERT INTO clients VALUES ('service', '{"clientId":"service","organization":"default","secretHash":"AZDWbtMNBMLtgSv7FYeJwpB66iNBz_3uADjfq6VSgqo","allOrganizations":false,"firstParty":false,"introspects":[],"revokes":[],"metadata":{"client_name":"Service","redirect_uris":[],"grant_types":["client_credentials"],"response_types":[],"token_endpoint_auth_method":"client_secret_basic"}}');
INSERT INTO clients VALUES ('tv-app', '{"clientId":"tv-app","organization":"default","allOrganizations":false,"firstParty":false,"introspects":[],"revokes":[],"metadata":{"client_name":"TV App","redirect_uris":[],"grant_types":["urn:ietf:params:oauth:grant-type:device_code","refresh_token"],"response_types":[],"scope":"openid profile email offline_access","token_endpoint_auth_method":"none"}}');
INSERT INTO clients VALUES ('visitnote-legacy', '{"clientId":"visitnote-legacy","organization":"default","allOrganizations":false,"firstParty":true,"introspects":[],"revokes":[],"dialect":"visitnote","metadata":{"client_id":"visitnote-legacy","client_name":"VisitNote''s clinician sign-in API","token_endpoint_auth_method":"none","grant_types":[],"response_types":[],"redirect_uris":[]}}');
INSERT INTO clients VALUES ('medisync-legacy', '{"clientId":"medisync-legacy","organization":"default","allOrganizations":false,"firstParty":true,"introspects":[],"revokes":[],"dialect":"medisync","metadata":{"client_id":"medisync-legacy","client_name":"MediSync''s sign-in API","token_endpoint_auth_method":"none","grant_types":[],"response_types":[],"redirect_uris":[]}}');
INSERT INTO clients VALUES ('careportals-legacy', '{"clientId":"careportals-legacy","organization":"default","allOrganizations":false,"firstParty":true,"introspects":[],"revokes":[],"dialect":"careportals","metadata":{"client_id":"careportals-legacy","client_name":"CarePortals'' Patient API","token_endpoint_auth_method":"none","grant_types":[],"response_types":[],"redirect_uris":[]}}');
INSERT INTO clients VALUES ('avycenna-legacy', '{"clientId":"avycenna-legacy","organization":"default","allOrganizations":false,"firstParty":true,"introspects":[],"revokes":[],"dialect":"avycenna","metadata":{"client_id":"avycenna-legacy","client_name":"AVYCENNA''s doctors'' API","token_endpoint_auth_method":"none","grant_types":[],"response_types":[],"redirect_uris":[]}}');
INSERT INTO clients VALUES ('vsee-legacy', '{"clientId":"vsee-legacy","organization":"default","allOrganizations":false,"firstParty":true,"introspects":[],"revokes":[],"dialect":"vsee","metadata":{"client_id":"vsee-legacy","client_name":"VSee Clinic API: sign-in, single sign-on, profiles and the directory of a clinic","token_endpoint_auth_method":"none","grant_types":[],"response_types":[],"redirect_uris":[]}}');
CREATE TABLE api_keys (
  id TEXT PRIMARY KEY,
  key_hash TEXT NOT NULL UNIQUE,
  organization TEXT NOT NULL,
  account_id TEXT,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER,
  record TEXT NOT NULL
) STRICT;
INSERT INTO api_keys VALUES ('5bbe211e-72b1-4ae2-9260-3456de870db6', 'DX99oOcP5Go61y7ovqD4ncJpstPQxUBzOEI7D6zXJho', 'clinicdev', NULL, 2208988806712, NULL, '{"id":"5bbe211e-72b1-4ae2-9260-3456de870db6","organization":"clinicdev","vendor":"vsee","name":"demo","keyHash":"DX99oOcP5Go61y7ovqD4ncJpstPQxUBzOEI7D6zXJho","secretHash":"YREu3QWOw4sKlO7df4UXydJf2m8tyQjKMVQ4DTpr5IU","scopes":[],"createdAt":"2040-01-01T00:00:06.712Z"}');
INSERT INTO api_keys VALUES ('1a797854-d4f0-41c2-90e8-acb39cbf77bd', 'uYKCC5y3l-9jvEVNSXFBi02tP3offbxxC-xNobdEB4o', 'clinicoff', NULL, 2208988806745, NULL, '{"id":"1a797854-d4f0-41c2-90e8-acb39cbf77bd","organization":"clinicoff","vendor":"vsee","name":"off","keyHash":"uYKCC5y3l-9jvEVNSXFBi02tP3offbxxC-xNobdEB4o","secretHash":"7RPduPNACiC9E6PA_wL6Xe9Hl0f5YSss7WaZFqj5L7Y","scopes":[],"createdAt":"2040-01-01T00:00:06.745Z"}');
CREATE TABLE artifacts (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  payload TEXT NOT NULL,
  expires_at INTEGER,
  grant_id TEXT,
  account_id TEXT,
  client_id TEXT,
  uid TEXT,
  user_code TEXT,
  durable INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  consumed_at INTEGER
) STRICT;
INSERT INTO artifacts VALUES ('Grant', '3jVjfypC7QcEwSWi5Lz6H8CI_QGc8VbIU53xrywahFc', 'icjmn3NFjibOfcKk_cjWoUFRBEOQ5yt8omIFAszey7xzsTFJaoOw060EhwMRZyN7_trXoHhjBDPpb7Ch1oObEJ6g8fZpqM0PeqMtP32_QZZWtVuvDRR6tjSrAwLZkK3qCz1UX4GOheI12Ve2HlMLHcF6tj1Vg_9xDKfbB96ENka-mcKzM8NICSAi88E8-ikh8fWgTvM0Tg6oyLwa-GGS3v4dJBe3ogv3g-7oXTerU2oG2ChYzf1bYUIGkCfG4WaEj0pWbbAPwmZeWblyPs2rcngHh1vsZ8YVI1Mwf-XTVIwkfwinU9UxKPcn0a_hWUbO5pLmE57nVxWPTp221AHkX_gPXipcLQMpMAyvztYk', 2214172810086, NULL, 'acc_TEGRSwqnDxnVciO0AXa85KeQLnVHx2CNAoHq60fXba4', 'web-app', NULL, NULL, 1, 2208988810086, NULL);
INSERT INTO artifacts VALUES ('AuthorizationCode', 'Kb3WQWkGuHzNyuH0m1Y-UZCnv73eHBw0QWjZU4Afxy0', '3Mc1wuX5uVHV1azvJi-zavBzk5YH4hd0E5sAzrpzuUQbNMBy3CkN3NipV7ISXuaE5an0lwsp3Mg2tWKx1O8yV5MS0RrwZlscoU2MjPBsXXV0mZmk3GfJ7SYb8yLPjLQ3lT89s1Kcac5fZNo5jPM_sKRJwSSdKNxePZgQN6X74-COSNImDN5LUEgYLpyql-P0EHFmpE13a4xESON5on3QMSYlMikTOEAMDiL_RMVLAHBCAKz3i0UQQ7f6brfHQz91Z492qfdAjBykwa2KtGtBYQ-53arLrjBgsuuolhFd7eicCzR-Vc_uEcQFJkawX18LYjrk2dR3SXE4BYY1fWEE1MA93_35MmMTVP592-dWl8qVBjmQ7w7yxZ46ijDoASjTpywtsXK_Nl6aPtLm94mkNNADvnRQh-i9XPqtDJ5wSs3ngTrdWD1lWD6dMMYigiIOYFbncRKDQ5J1KkKMDrzSKwOmYzZ9CHOFBVyC5YXIrmkpSjsMUawKNxQxlkzvOs1mPQTQrCc_ZbuamXrrvHg_HPH31ACMJqnotAeLya9uVyri-HSfMkdxUqh4PcLGvkH0EOVWMMRR_m9FtWLV5mzYcwYRwKG1hn_nbFpegsRouwgYA5mf76_RV-LgyXEmawpmyHzdwkJJ4TJP8JHcd9e0JPm7qkVv-FNUelse6AVmU7P2YNwhqlO-Qj5odWuPM_iz-RXOngpb1QLN_qgqYqX3CJwCt4vzmWSHsPxsVmv_eio-i2eHtE7hG4Ur3KiB-bd_7kNX874FU-27U2NAqJlhUvzKBk_azCEpVJ3mJIkQtJ0kBZiSrgI-3bcC4dUuN3sgVJjkA47LxVgLjsEy7yNaMQ', 2208988870122, 'd4F_wOoRzsjH9VC90-9tCYDbaz3UzodtzkmkTTTLiIc', 'acc_TEGRSwqnDxnVciO0AXa85KeQLnVHx2CNAoHq60fXba4', 'web-app', NULL, NULL, 0, 2208988810122, 2208988810235);
INSERT INTO artifacts VALUES ('Session', 'QDJwXih3XxsWy-q2pHcw1j4e3wuyFWCiFFQYEsRijAQ', '0fyCUgvmFZ00eY8dxkGEgR_MQzbHanarE_gAgTEVIbklYCBDubTi4D0CHYxarumOkMXDk9pWCmpJIg5ra4tmvChqlvLcehOYeH9B-DLfiTAHW0A0MobNwj_u_hg30lCxCdJdqLOm8wkkG2Qm77Es0w1XtzvlNQxTcu5e4P-iVMP8eTv39sIr3TOIyaWZjseYSl_YnKwjtYYvzgBCLiuSFqrP-lqsJQNGvNtjLjXmGvtA8EAcIyuAmh4WTK5VopNopkCCTsPOBpF1KSmED2xqS2fCuUnMjlbQh1FhjRqX1tGqovjsCXj498GdJ-gjYGr9jhgognctTfAiiLJ68-mBRfOuYrx08huNNZ8HXa33QozVcv7N0CqWFGkXXzyJYFnzmb065kazCIw3OjP-broxEL4dkFkfzUUBzvpDT4MaujqPFGoNpRF82eE7PZW2a98Pb4BPicKiApgiICST0dwiJGzk527iXnPMfBnf-KBrPVEZlQeVrn3jDMcTgFeebYNhhoAolCwILMTIt8jas4krXG8l1k-7zimvIp7Bat1eeK0Ab9j0iCTpLS-mMAtblI6BkFEHypw-kcOHfwgznc3s0axlypMETsr9dLvTB-LA8O4hgSNUfrzWBlWQmqE6hguoiziFl7cDs0HQSQ', 2209017610145, NULL, 'acc_TEGRSwqnDxnVciO0AXa85KeQLnVHx2CNAoHq60fXba4', NULL, 'BGxTIGd1G6o4KFEQiFD29Mg-UvoXVNmXvdXwBdSHdVQ', NULL, 0, 2208988810145, NULL);
INSERT INTO artifacts VALUES ('AccessToken', 'oM-CfM9t5e4gT0igWoLNRfSWf10nppsNKRzG--cCavc', '4UvU1HZIGYaP8mUVCeYM850uYzQ_KqBdtDuNwGL5tpw8-L0LFeQ2Mdfi80jGa5V2Is5qszh5nH1D58hyPpiZbQx5MoiVwv3GoBvnthR0fCPZ91vIFm34tKMYMd6HFwKeivBhZaS4LX-idCtKWq8YIcJN4uj-C52uAhlLkVpTqGcrRpOoMGdm7AMaHkQ4ZDxOA1wh2jrVaQkUNoHADMUD26USAMq0CAsLZDzbDBtkd0SD-nsW2nZ7RRBbQEsVF-gV3tOnaSyH7e6a-byUPStgtf8VGc9Gay0LlPSotDp8Bcx2PJ_SYrSIDVeX4WO9Ms7dwuliY-gX2YCJ6NPg9p22zQs323yqvAcSuaKFs9g4oUsJRn5a9c1fOMYV7WVE8nRlrAQv0Hi7X4NsuBsG897BpsEsPXmYVVgxm-JctIuBpEDPN4mkYSUTZAQpYsZ4mpgJ73qhEHrfHkxX1lFpqML1gjmJBYxn8ScMUTDdQFXU2R-JnCmivbbQjXNsBihG0rEtut3Yq078SN6aqXi3gBspuDm7hV-7gTXnonnmLHV1-VctOl8bwD1FmvzX3cuwc85dv3IC1E2ktP7ILQRxqECKiezfMtWNmDybdkywpiLS', 2208992410259, 'd4F_wOoRzsjH9VC90-9tCYDbaz3UzodtzkmkTTTLiIc', 'acc_TEGRSwqnDxnVciO0AXa85KeQLnVHx2CNAoHq60fXba4', 'web-app', NULL, NULL, 0, 2208988810259, NULL);
INSERT INTO artifacts VALUES ('RefreshToken', 't1M9DkWvqwXybqKdWazkRFju9Jd_Dhp8Y13fJrqk_1M', 'DN3HgX0cH2fmcZIgyMjsUYKcedq2AIzql5Y-zFkZzzXg7Wh0NxY6qELJGxeiw88Kr81_x6ayTJ7IGtHjM5Kz4Yi8AXVU5xWIRCIUV72wlcoB37TetQWk8BZvDnPYlr3AAO9B4Tz2nE2oUxqnAYlnoijNVJxijWXImdi9wzgIjeJuZQ_hJL5dxiG6lqub5kXiLxs2LuAGa5_TQGp5o-AbzwYwaXyFt5zBwqB_n5-sPbbG__LmkUA5pem3pU8gxJVusofBk5FLw7a-7mgmyXFT-2X6GNVjFDU6qe9MIwIoqRL3_JHIQ6zpiVItGRSgn9GfKZWQC5GPHGlbYP6EKoaZEN9ZVo6-H1jmS4ik2cZ1CCFlnrTFcHXY-jbsCpNRH8LFAC-w4g6WACWo0-OUuEE5Eq_vIaB1ew2ihks1rHi93-hCM6YA6UxoNZnRAL4GiSp-0YXivUPjypFrlfN2IwpJHtURH_8LmWgTEx991ZoS6eh98ecT4kTgXsZw6LpF7GRTKG_YAcULSTFd3TQonDPPkmGLGOGcZq2uZfcGxqHu9wUlVhEF_mefjaa5u52U35Y72tk327vk4zpnMcHoAOTdatzFfsbL7DcvrjI0DWC-ZXmfDxJ2SA2NyYOaYBNMKifWcm7cGKwFSicd6HhCdN_F710TXzmPf2CW3GZbloc6Tq6cJwBmoX87g9mKWVD7cgWW5CIBu0zp0DjAopvU5pSICH0udko3n00kJ796eVeA-jQJ4c--_qGSZm6cDrolITl6s9DvYnu_ZgtSSSxJeMPjXGvgG2kSj8c50-WWG-KombAJK0lSEojQEQ', 2211580810265, 'd4F_wOoRzsjH9VC90-9tCYDbaz3UzodtzkmkTTTLiIc', 'acc_TEGRSwqnDxnVciO0AXa85KeQLnVHx2CNAoHq60fXba4', 'web-app', NULL, NULL, 1, 2208988810265, NULL);
INSERT INTO artifacts VALUES ('AccessToken', 'lmYGFmvlWhBdugxOevXcapYin0Qjb_gVOv1g9e7LZsc', '_98Y-iie_Hik2zIsGr8DZ8Li6S-mh4R0vvuYiudZziskA_MU89ydLo8D5kkx5XovzjwwjQGQ4t4s5GSgIkvEKKuKfjIbuDaHhMRKQ1SpAr25QINALx5r867ETVQC1ZX6cqQidyXQeT8Y9CX3a3VowFVizFnBN7AMZv7vh-7mPm3zze49vSP-C6POGdigccDPEb_KOElp8DwLvU21Xs0sZoIkT6gf2tden3EeWY0Kq8B7rBPDSwaaZz8ICxqDzn7OkdX2CA1oB7wZ04rEpuEYmLdN61D9fO35GbllmByvT65KkXOklGMADFIgGX--lW0_rrOKB8hEaZoaZkVcSOSOtqJKHqbF2X8Ml0L5Ip8BZeMiPzPjfWO6n8DCwRJtnMMP52WOQF-OzpOHmNr6byqd7SL9ujgA3c7FVrtlZY9WtD4ikF5vFww5Y8JKX26PPkSAHeZ5qZlzBPA5EeE2jV986y8DPZHbtvQGgBH-fpZXkwJFj2WRZgg8m8jyxJwLb2dkKV2zs769o_7wDPzP31uh1JkAborvTG_tDh27nIJarp7gPA8Eu9ZKnez0hVyJY1rfqewan3yOM5G0Hb2Ovjn2fNAy4Hq1W6ctOnoJwb5clyH0o6UHMS7-Fb0jYEQPYTN2AnsqrqA', 2209075211069, 'At2Ya7hkey40RzSMitrMN4788uoPX4i9siJzktlHfmc', 'acc_lLtRsgPRuD-NkpxB8vRQ89EI-2Ix80SUFQmqqq-eDjQ', 'vsee-legacy', NULL, NULL, 1, 2208988811069, NULL);
INSERT INTO artifacts VALUES ('RefreshToken', 'NnzU7wtAtC3hyX91vWGJ1kTeaVZgg0BLsK1Clnj_dfc', 'xL7C0x0u-LV1bD8NqM16yjbfaRmy5KON_xoxGTBZRnRX7Q-ttW-6mMTjbrx4FOjFzLJFXhwt4DSZxV2BTL7rv-L1_ENvGYzwHei3ZVPIZ-pb7odjNCRmkBJ-1XDeiosry6YuREGkUjbqVqLR4ARO_OECkjTtEntEvNZVy2JQixi8-FrAvFmKQqEn80nqsd5BgTOuTQx7vRbUebb_qAW_e4lTjxAQyG_AYE9ZswCBnIEMlQCF75ZPk_0jKZ9pGCLID_IAYkrvS1JFoXyVLzMQfwTE8tNmGO9uIhR06XP3klIZE4UeszWgYpvti1AeEbd6KtDHuyP-r0Y2fbfp_4rNYz6l-rU3e0Uyl-c25i_BpFxtbwvWwo6bA4LqfJZjR0RslZ2MoaQGwc6kic-f03eWEWKyKIsYC-dtmmbmh1elBPwD7FNTTUwdBBfAaGj4mm2KgKeJa8qS8_y-R8M3PZVko51TsDbN2I0T8O7cip5wro7MOAQ50YM2URAg4Y8ZEp4Pvxxc49VDMHRsWM6DyC-GJ8lySA', 2211580811069, 'At2Ya7hkey40RzSMitrMN4788uoPX4i9siJzktlHfmc', 'acc_lLtRsgPRuD-NkpxB8vRQ89EI-2Ix80SUFQmqqq-eDjQ', 'vsee-legacy', NULL, NULL, 1, 2208988811069, NULL);
INSERT INTO artifacts VALUES ('Grant', 'w2s61IS4k1-ebPosNJ8tNachBfhYNmUA1JV4TVRk25A', 'Ig-eMKt-vqwyIDVPOwDIchFLm0-lJSbngNpiRZ3YQEU6YetrytWG4qgpzfUMW8ykuyKKNzHDZL6B8Dtgfp5xm66EdK4Fdi9PVHNaOotRN6yBWIR9DeWJkrpHqP2FXyIYoqjjFc4cKwjbRofOFNAqembvaoVSsOq5opoOecbb1BsxIJVp7mQPJ1gSVx32OeacqC1RGLR2I7LNLHGh1_F0HiSjtmTdGPLK0EkBuM_nkmA3SWzPQvByPMKyPCErGeEwa_hPu6_Xs0b4e_XonmljLUMjxT4OXVOGZn9sfa3oUFfAhaM6SvQwGqINRlW5IwpSKOMe', 2214172811069, NULL, 'acc_lLtRsgPRuD-NkpxB8vRQ89EI-2Ix80SUFQmqqq-eDjQ', 'vsee-legacy', NULL, NULL, 1, 2208988811069, NULL);
CREATE TABLE keyring (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  version INTEGER NOT NULL,
  sealed TEXT NOT NULL
) STRICT;
INSERT INTO keyring VALUES (1, 1, 'iLdVv3kDsWeykaLXqzqZfBbidHNKcI8CAvvG7NED_RPKRsKukHavS_dHnAZA01xANBr4SuzTZqtPYbeqtN7EXDNIvGCJLGffpPTzlR2htmcX3h9AY-UW9KDrKiNPv-ztAxkRe9jLlH9RwZFzBOhi23oalad41azvkh__LOKy98RFNNQ83xsxaz-FnFzJlA_ezsr6QfaEh82aOtKifumlX6s62CzpvLmwY1KabiGCATZ2DDQ83S7IRGGDlLrpFQlLCDVmFkAxg1KPsxbCscl7V0M29D3z5hQ7GceHyR5XxreATM2MA_Y3rmMCmFqZow2w09Kaw9WTUvtvZU38OCJptMqxM3FQsGhSnTwr7DUEM-vK0mmGyi4vjeRXYvzJhJE4Lbug9nsK3KZY13CAwFaW3pNEwjVSsUJ_2JnQBQEcjbhpIaGXmtHaooGWGZeF1tIg2dEElULRapHxTwejLmZbegxDHz3ZyqBaZMpjId1XAJzBpi3rjBdcpzqOIk5qUQNYzktU3yPyxZVKlmfih0lgxmQIrYSXKSikS4jHQkXhR38bSMt07X1AtsGTisIX-UPNIWv4CiaY0-cioDe67ubtLUBBA_YxgW3Qoh6nHCeMZTb83RJ9WK4aw8YCHpCBJFVxTSXqUk_POGIJee5Ycgum2cSgnKYL60AppL9BOmHcDKVfPYi8A0zlqnA_G1E7wrACkFp3C-oJf9-3m8KhKCa6xPMItDbr-9d746Czs0TDZZic83mUrGMClwXGQcuUrUYdNjO27u5DpG8uDqvIq3-ce0L5GTN7i97oZDNhxsfXXJc_MbZKzN-T9KBv360U0zJ0aW6r99Q8CLP9U7gzCh82SslAM4mi2rV26Uj8AvoX4M3_Sy_pYU_iH2klnYOZ6uEONKsFsiq4XhEZ76jwXNTmar_mCniVrMoZN15eIV_v7PQJzE8dxdLRnkV4i9L9upZ54_lWcvfOyUAM2bDkZdmflox-ntv5WpdNZv6ODft-voFeHuMgd_oTUsO7jDwXV-C5gZW7PmPyM413S4F1PglVA9_OFnhmyQ54qv75aDOaUUQfVfIRMVmS25vH_Uqo98TdZV-HRki5cwl8KSgGkau8ytS_UgxmMbl2dNXGFd6qV7j6mkrhH0WLZqbIx6HAxbDWK3m6mvj0PQrrLoPi-v_T_aEK6o7s3_vfOi7JaeMTXPbUf05h3p4I9SAwBZUrMSsuy8oBvMDAaqQMpuww7qMbKswAkehQTovrQCBXEa9Y-IMFrbE8uvmz73lJHAZ_pbHSPdxSvJ5j6MRBPADecadAZLDQrZKFCbZpQpqGaDLTaWQeK3yelAkFW3i8QW-8wZb1mmMuKYZcy_KK6sJe_UFlOKdPs_LZQZg4_2wpAVRCC8fJiZ1IC-NB4a_6u03b4nj9p0zwXOVN96XsD2a-X2DBXq4m0iT6RApI0S5NuxWPUFLFzbAqhEhWqkZfUFelxs2MHfwWLb9RijBOfLDMrHWz2liJVb8DX8zfCpE1b19_0aTINGxhd-BnDcgcbEZCbiH5tNnU-0e-0yWKyCXNv7pCCxRW_aHY8ga_sAzFUFGyKERhyd6AHWe8fYU-NvTsIAoKIPEaWVx6xNAQNUrSba6OT_WAn8nh04BEBz1D8j54hF_1uh1mpifsUa3rwLUxiQNqP3aQFvdaUFH6hQpYvKsijf-eePakWLlLM4GceIobUzatM-GZzajGDsq7jPkkUzr7dgn1fT4gcrTcV_2JUaFLtHZSZtV8_klCDzxla2ldlq_uo6tTFvT6Qy4R5dqvsqg880eemQzFbQJU3q10JGZuvXUT2WueEf-jSv1LUQlu1riXZWq-ybIhQI69a202y-oloyAEwzdVPiJVYJWYhBACj4A0KyItU7XsmwZcQtDpO8hFy1nBuD0MIEDMLNJQuh9Ri6Lb8M3HnGLbWYUejFB1z3fcILBbdHABUyZLByctfe8ZNXSQ9IeE51fFHZ-5jJ_YDpd098xkTn3aHWsDUsWPeerQuoWzWiwny_aFZ-bh9a7DlXNOWFohUXWqf8LEwzAsFfrd4fhpsD_C2tIZkjprV--LUYXgOjPpI4r6zoBlyHT1bu3m50mq0d4UfrOlhhF9p7mjqmBCyfpVrpAOJHC0ar9bOeYnEhT9Q1oNZ6MtQoUetmPIO2qlItoQMAO8dxWUglFgrZE74vgxdoFdSqGR1pY8Yi_IZbb1r7SyW2p0TaCiAR3JpQZEw5B3OGSuxN9uJieF7W5lUl5rLMbjzE5OT-0keH3ROcAaK6n9xvYxNzsKYhWh4a9qMvD5nQdjNT9OHRP72UxkWFJAzopAaFXegerURFvyc7qJXZLbtRhrelxhfyUkt7lQ9kMLkZ5voomZBoAmzcI3WfK7cCtvcpb_6uZEZcvehYE6iD0vcPlc1yQlL4hol_Yo1g3MZhDFtEUDmIWEYpA-tmt8GqYkc-mUmhlmo6vZ6WrCqLIeW1DrRP3jkVt42sktrvn7l1TQKDZFqNzvY1L_xZPA6WiYwUJyM5cqt7XQPH_A-rumEe0JVVZD6KGuLUHtviwRGx3qP3VOcrEEXKqQ4mjylrnwHECBFWTA5pqARqp18TwARSC8YSOUt1ueafo9oTYq2_XN4abrdK_yjahOvhAR46detkGavyZ6lPovTqeU_fw679a8FRyD487ngtnV5nKGPJ36RnBt8d7sj7cwp6_Nl-jTgwm4KfEZ5N-rb7tdajc79Y0MZ9-z91TSRbOHJuNa86bWiqFe8-PqyEO4P2Te9ihxWX_zmWgeVcafA-Wgt5IHZBx7gPv_hvHZwJv0aN23kkncdtVX3Roj7Xh03ck1mxP_023uZvDROljtqsduJ5NUpUzSpJ8zfgoExH5wQFRm8r7enCh30m5SaaS2obxZEbQFcEEkTbCEeg6Cv4LY10n-6juV-tDb8d3eESYc-h5T0XYyJK5dsdO-3-yX2WlH0z_7gnDarFvodKZAjjQuK_lCMqYSjv3p4bkbajpqhLY2qRDt-1f6RqXgN6Z2vdmaCagXKj_Hu9s__SVZcyGwR5AUtdLQQ_lPqgbEnOeBCTdEGMUgaXVAt4xlUdTBsQY2FEtr08s2THAtohwdfYy0S2fN8v282gmcGkOZPPQUsjDhnv3ayj8B0dYBNzc7DSP6BiqNlrGvDllAhEzRvZkYYh8Cz5IObdKBgpuaKIJFuoeR8KpWEb-FraTSAzgkkNAMalKnB6j2NJI9mjEFdc7cjDi1Zxbfbo5tkYbI94FksXdAEVx4UUBDGau8h9RaTmGdshtx-0eJneY7FM6ihblyXaPqd6ui0MBwanIuIAJ0LfhisYfGo9DvKZXkjJAm_zinmtKptGQa0HticYeO3b5SAwZnCeHq7Ias7FLnnqOjwOnks5iFq6879XBKV_5_ERNeLFjShiK0xmfGksac6jBAZS7CH9BBGf9PiU4i7pwvVidG7zd2Tn6hZF2UcmVMMwEtpQkoA1XjATD6INcSwhhIna8zorGbRjbvOuHKpVd_LaIJTvh5_4IQsvW3fZLclPIv5Vo_bSgosOBMiWJPeLwrDiXky7D4MY_2daqbOI9aCItLBwxXov_i8BeST94K6BKw6jq0S0zPqPhtjXKHlYcocy5uQ-vBH7lj7ozPN4WlD3dbwopRxWduLumjiWpHQlx_niZeqPYObGdAzyH11LJshBdtL7qk-bT1W0PHjpul51JMeldfw0NTUf0dgwlZalKyh9hp40dMRXeD9Ifclddcsfwc8xhlCqAeuSkg8utnPinBN5VHEpUFe-PcWCWp9bYqUqcAYPJSQzLRG3HV5k1TCgV2F73tcX2j5dFmaETYP2W5qWkzp6QTFv9wiWUqSNV2HhJydp5MJoEUM0KZ3HTsDml7rMv_LzbRnjQQ-7BocBcDkB-5MAfVTt9IYisvOYfMoZDm8TRsU-RfbsFr_1JFfSIuuhyxTzoKuPj4QQ');
CREATE TABLE attempts (
  key TEXT NOT NULL,
  mark TEXT NOT NULL,
  at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (key, mark)
) STRICT, WITHOUT ROWID;
INSERT INTO attempts VALUES ('email-budget:LbBnZmwQGodde3_P9Wjx_BRi5VfG8Ct2kd4oslXb0GY', '173df246-3033-4c28-b569-1fc4a98ff90f', 2208988810381, 2208989710381);
INSERT INTO attempts VALUES ('email-budget:RETSBZjizKW-54P7EaJB1dFaIRDTfygYQQB53NwDROc', '173df246-3033-4c28-b569-1fc4a98ff90f', 2208988810380, 2208989710380);
INSERT INTO attempts VALUES ('email-budget:p7hEvalTlsES2sqemzqCyhb2x58_qXI_gQ4PsVvI5JA', '173df246-3033-4c28-b569-1fc4a98ff90f', 2208988810380, 2208989710380);
INSERT INTO attempts VALUES ('strangers:Hmc2mnFEH8vI9SltLeZl1_DcmnSz2eRNY2zAcUdzwlM', '919ca481-0422-4ac4-95f8-09811678a12b', 2208988809281, 2208992409281);
CREATE TABLE attempt_windows (
  key TEXT PRIMARY KEY,
  count INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE attempt_memory (key TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO attempt_memory VALUES ('health', 2208988808322);
INSERT INTO attempt_memory VALUES ('attempts:kBDRw1D1j7hCdgkcoB82ha46w4vfkaqJX9YEqAQzJ74', 2211580809955);
INSERT INTO attempt_memory VALUES ('attempts:_IUf3LHXHeQyGs9x6gXAf-Z3rZm0aPc8oboZsVibpo4', 2211580811048);
CREATE TABLE tickets (
  hash TEXT PRIMARY KEY,
  purpose TEXT NOT NULL,
  account_id TEXT,
  expires_at INTEGER NOT NULL,
  record TEXT NOT NULL
) STRICT;
INSERT INTO tickets VALUES ('-1XgIK2XOcXrMjEfuMZpSMAzyCP4UWWZxWJjzULbcQc', 'reset', 'acc_TEGRSwqnDxnVciO0AXa85KeQLnVHx2CNAoHq60fXba4', 2208992410381, '{"purpose":"reset","organization":"default","accountId":"acc_TEGRSwqnDxnVciO0AXa85KeQLnVHx2CNAoHq60fXba4","data":"OvPjcEgeQqEkYYmvXs-SOfJkREvIQwYKwl7zY-Kb-cWdvGRCvMgDM_UFSFgPY7ezV15gYLbCEIgT3DDEhijsbEaQ","createdAt":"2040-01-01T00:00:10.381Z","expiresAt":"2040-01-01T01:00:10.381Z"}');
CREATE TABLE claims (
  key TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  sealed TEXT,
  at INTEGER
) STRICT;
CREATE TABLE presence (
  account_id TEXT PRIMARY KEY,
  last_seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  organization TEXT,
  subject TEXT,
  record TEXT NOT NULL
) STRICT;
INSERT INTO audit VALUES (1, 2208988809967, 'default', 'acc_TEGRSwqnDxnVciO0AXa85KeQLnVHx2CNAoHq60fXba4', '{"event":"sign-in","outcome":"success","organization":"default","subject":"acc_TEGRSwqnDxnVciO0AXa85KeQLnVHx2CNAoHq60fXba4","clientId":"web-app","address":"127.0.0.1","requestId":"e1b8c2c5-97d2-4a45-93cb-5c6ca515ab84","detail":{"door":"hosted","factor":"pwd"},"at":"2040-01-01T00:00:09.967Z"}');
INSERT INTO audit VALUES (2, 2208988810135, 'default', 'acc_TEGRSwqnDxnVciO0AXa85KeQLnVHx2CNAoHq60fXba4', '{"event":"grant.issued","outcome":"success","clientId":"web-app","organization":"default","subject":"acc_TEGRSwqnDxnVciO0AXa85KeQLnVHx2CNAoHq60fXba4","address":"127.0.0.1","requestId":"81258afc-0acb-4693-8886-bdf83e43cf1d","detail":{"scope":"openid profile email offline_access"},"at":"2040-01-01T00:00:10.135Z"}');
INSERT INTO audit VALUES (3, 2208988810298, 'default', 'acc_TEGRSwqnDxnVciO0AXa85KeQLnVHx2CNAoHq60fXba4', '{"event":"token.issued","outcome":"success","clientId":"web-app","organization":"default","subject":"acc_TEGRSwqnDxnVciO0AXa85KeQLnVHx2CNAoHq60fXba4","address":"127.0.0.1","requestId":"081ed359-4c34-481b-9411-b605c34abe57","detail":{"grantType":"authorization_code"},"at":"2040-01-01T00:00:10.298Z"}');
INSERT INTO audit VALUES (4, 2208988810435, 'default', 'acc_TEGRSwqnDxnVciO0AXa85KeQLnVHx2CNAoHq60fXba4', '{"event":"password.forgotten","outcome":"success","organization":"default","subject":"acc_TEGRSwqnDxnVciO0AXa85KeQLnVHx2CNAoHq60fXba4","clientId":"portico","address":"127.0.0.1","requestId":"f8fb3bf8-ad4a-4ecf-a7df-98cf366307b9","detail":{"door":"hosted"},"at":"2040-01-01T00:00:10.435Z"}');
INSERT INTO audit VALUES (5, 2208988811054, 'clinicdev', 'acc_lLtRsgPRuD-NkpxB8vRQ89EI-2Ix80SUFQmqqq-eDjQ', '{"event":"sign-in","outcome":"success","organization":"clinicdev","subject":"acc_lLtRsgPRuD-NkpxB8vRQ89EI-2Ix80SUFQmqqq-eDjQ","clientId":"vsee-legacy","address":"127.0.0.1","requestId":"15eba129-cb48-41cd-9d3b-2e894c1c2b57","detail":{"door":"vsee","factor":"pwd"},"at":"2040-01-01T00:00:11.054Z"}');
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
INSERT INTO facts VALUES ('seed:XTlxmzn7IMsDQokjVnLAhcB6HIKgVFEx4RAUUbDtLiU', '2040-01-01T00:00:06.766Z');
INSERT INTO facts VALUES ('seed:x_4ZgKYsuBVIuoUGkAfSQ7_d8R1Jf46280Ks8_BQChw', '2040-01-01T00:00:06.898Z');
INSERT INTO facts VALUES ('password-hashes:clinicdev', '["$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]');
INSERT INTO facts VALUES ('password-hashes:default', '["$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]');
INSERT INTO facts VALUES ('password-hashes:north_clinic', '["$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]');
INSERT INTO facts VALUES ('password-hashes:south_clinic', '["$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]');
INSERT INTO facts VALUES ('password-hashes-noted', 'yes');
CREATE TABLE "codes" (
  key TEXT NOT NULL,
  asker TEXT NOT NULL,
  code_hash TEXT NOT NULL,
  account_id TEXT NOT NULL,
  tries_left INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  record TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX accounts_email ON accounts (organization, email_folded);
CREATE UNIQUE INDEX accounts_username ON accounts (organization, username_folded);
CREATE INDEX accounts_page ON accounts (organization, id);
CREATE INDEX account_aliases_account ON account_aliases (account_id);
CREATE INDEX identities_account ON identities (account_id);
CREATE INDEX organization_hosts_organization ON organization_hosts (organization);
CREATE INDEX api_keys_account ON api_keys (account_id, created_at);
CREATE INDEX api_keys_organization ON api_keys (organization, created_at);
CREATE UNIQUE INDEX artifacts_id ON artifacts (kind, id);
CREATE INDEX artifacts_grant ON artifacts (grant_id, kind) WHERE grant_id IS NOT NULL;
CREATE INDEX artifacts_account ON artifacts (account_id, kind, created_at) WHERE account_id IS NOT NULL;
CREATE INDEX artifacts_uid ON artifacts (uid, kind) WHERE uid IS NOT NULL;
CREATE INDEX artifacts_user_code ON artifacts (user_code, kind) WHERE user_code IS NOT NULL;
CREATE INDEX artifacts_expiry ON artifacts (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX attempts_expiry ON attempts (expires_at);
CREATE INDEX attempt_windows_expiry ON attempt_windows (expires_at);
CREATE INDEX attempt_memory_expiry ON attempt_memory (expires_at);
CREATE INDEX tickets_account ON tickets (account_id, purpose) WHERE account_id IS NOT NULL;
CREATE INDEX tickets_expiry ON tickets (expires_at);
CREATE INDEX claims_expiry ON claims (expires_at);
CREATE INDEX presence_expiry ON presence (expires_at);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_organization ON audit (organization, at) WHERE organization IS NOT NULL;
CREATE INDEX audit_subject ON audit (subject, at) WHERE subject IS NOT NULL;
CREATE UNIQUE INDEX codes_key ON codes (key, asker);
CREATE INDEX codes_account ON codes (account_id);
CREATE INDEX codes_expiry ON codes (expires_at);
PRAGMA application_id = 1347572803;
PRAGMA user_version = 3;
