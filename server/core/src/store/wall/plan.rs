//! What is to be done until a database has the policies and privileges that the code says, and no others: as SQL,
//! nothing where all is as it should be. A migration does it, and a service that finds anything to do is refused.

use super::catalog::{self, Grant, PUBLIC, Policy, TableRow};
use super::{Command, Roles, Table};
use crate::store::error::OpenError;
use crate::store::migrations::Migrations;
use diesel::PgConnection;

/// The rows of the tenant that the transaction has named, as the catalog writes it. What a transaction has set reads as
/// an empty text once it has ended, and that is nobody's name.
const OF_TENANT: &str = "(tenant_id = NULLIF(current_setting('argus.tenant_id'::text, true), ''::text))";
const EVERY: &str = "true";

/// Names of policies.
const OF_OWNER: &str = "argus_owner";
const OF_REQUESTS: &str = "argus_requests";
const OF_WORKER: &str = "argus_worker_";

/// Where diesel notes migrations: a service looks whether they are there.
const NOTED: Table = Table::shared("__diesel_schema_migrations", &[Command::Select]);

/// Lets the owner see the rows of the tables that it has made so far, so that a migration reaches them all.
pub(in crate::store) const OWNER_IN: &str = "DO $$ DECLARE behind RECORD; BEGIN \
    FOR behind IN SELECT pg_class.oid::regclass AS name, pg_get_userbyid(relowner) AS owner FROM pg_class \
        WHERE relkind IN ('r', 'p') AND relforcerowsecurity \
        AND relnamespace = to_regnamespace(quote_ident(current_schema())) AND NOT EXISTS ( \
            SELECT FROM pg_policy WHERE polrelid = pg_class.oid AND polname = 'argus_owner' AND relowner = ANY (polroles)) \
    LOOP \
        EXECUTE format('DROP POLICY IF EXISTS argus_owner ON %s', behind.name); \
        EXECUTE format('CREATE POLICY argus_owner ON %s TO %I USING (true) WITH CHECK (true)', behind.name, behind.owner); \
    END LOOP; END $$";

/// The statements that are left to do. A table with a tenant that nobody has declared is refused.
pub(in crate::store) fn plan(
    connection: &mut PgConnection,
    sources: &[&Migrations],
    roles: &Roles,
) -> Result<Vec<String>, OpenError> {
    let declared: Vec<&Table> = sources.iter().flat_map(|source| source.tables).chain([&NOTED]).collect();
    let there = catalog::tables(connection)?;
    let forgotten = |row: &&TableRow| {
        row.has_tenant && !declared.iter().any(|table| table.has_tenant && table.name == row.name)
    };
    if let Some(row) = there.iter().find(forgotten) {
        return Err(OpenError::Wall(format!(
            "the table `{}` has a tenant and is not declared with what may be done with it",
            row.name
        )));
    }
    let (policies, grants) = (catalog::policies(connection)?, catalog::grants(connection)?);
    let mut statements = Vec::new();
    for table in &declared {
        // What is missing is not behind the wall; the check of the schema finds it.
        let Some(row) = there.iter().find(|row| row.name == table.name) else { continue };
        if table.has_tenant {
            let policies: Vec<_> = policies.iter().filter(|policy| policy.table_name == table.name).collect();
            secure(&mut statements, table, row, &policies, roles);
        }
        let granted = |role: &str| -> Vec<&str> {
            let here = |grant: &&Grant| grant.table_name == table.name && grant.role == role;
            grants.iter().filter(here).map(|grant| &*grant.privilege).collect()
        };
        permit(&mut statements, table, PUBLIC, &granted(PUBLIC), &[]);
        for (role, commands) in roles.with_commands(table) {
            permit(&mut statements, table, role, &granted(role), commands);
        }
    }
    for function in sources.iter().flat_map(|source| source.look_ups) {
        let callers = catalog::callers(connection, function)?;
        if callers.iter().any(|caller| caller == PUBLIC) {
            statements.push(format!("REVOKE ALL ON FUNCTION {function} FROM PUBLIC"));
        }
        for role in roles.requests.iter().filter(|role| !callers.contains(role)) {
            statements.push(format!("GRANT EXECUTE ON FUNCTION {function} TO {}", quoted(role)));
        }
    }
    for role in roles.requests.iter().chain(&roles.worker) {
        if let (schema, false) = catalog::schema(connection, role)? {
            statements.push(format!("GRANT USAGE ON SCHEMA {} TO {}", quoted(&schema), quoted(role)));
        }
    }
    Ok(statements)
}

/// Row-level security of a table: on, forced, and with the policies that the roles need.
fn secure(statements: &mut Vec<String>, table: &Table, row: &TableRow, there: &[&Policy], roles: &Roles) {
    let alter = |what: &str| format!("ALTER TABLE {} {what} ROW LEVEL SECURITY", table.name);
    statements.extend((!row.is_enabled).then(|| alter("ENABLE")));
    statements.extend((!row.is_forced).then(|| alter("FORCE")));
    let wanted = wanted(table, &row.owner, roles);
    let known: Vec<&str> = [PUBLIC].into_iter().chain(roles.named()).collect();
    // Those of a role that is not named this time stay as they are, and so do those for other roles.
    let is_ours = |policy: &Policy| {
        policy.name == OF_OWNER
            || roles.requests.is_some() && policy.name == OF_REQUESTS
            || roles.worker.is_some() && policy.name.starts_with(OF_WORKER)
            || policy.roles.iter().any(|role| known.contains(&&**role))
    };
    for policy in there.iter().filter(|policy| is_ours(policy) && !wanted.contains(policy)) {
        statements.push(format!("DROP POLICY {} ON {}", quoted(&policy.name), table.name));
    }
    statements.extend(wanted.iter().filter(|policy| !there.contains(policy)).map(create));
}

/// The policies of a table.
fn wanted(table: &Table, owner: &str, roles: &Roles) -> Vec<Policy> {
    let policy = |name: String, command: &str, role: &str, using: Option<&str>, check: Option<&str>| Policy {
        table_name: table.name.to_owned(),
        name,
        command: command.to_owned(),
        is_permissive: true,
        roles: vec![role.to_owned()],
        using: using.map(str::to_owned),
        check: check.map(str::to_owned),
    };
    let mut policies = vec![policy(OF_OWNER.to_owned(), "ALL", owner, Some(EVERY), Some(EVERY))];
    if let Some(role) = roles.requests.as_deref().filter(|_| !table.requests.is_empty()) {
        policies.push(policy(OF_REQUESTS.to_owned(), "ALL", role, Some(OF_TENANT), Some(OF_TENANT)));
    }
    if let Some(role) = &roles.worker {
        policies.extend(table.worker.iter().map(|command| {
            let (using, check) = match command {
                Command::Select | Command::Delete => (Some(EVERY), None),
                Command::Insert => (None, Some(EVERY)),
                Command::Update | Command::UpdateOf(_) => (Some(EVERY), Some(EVERY)),
            };
            let name = format!("{OF_WORKER}{}", command.name().to_lowercase());
            policy(name, command.name(), role, using, check)
        }));
    }
    policies
}

fn create(policy: &Policy) -> String {
    let Policy { table_name, name, command, roles, using, check, .. } = policy;
    let roles: Vec<String> = roles.iter().map(|role| quoted(role)).collect();
    let condition = |word: &str, condition: &Option<String>| {
        condition.as_ref().map_or(String::new(), |condition| format!(" {word} ({condition})"))
    };
    format!(
        "CREATE POLICY {} ON {table_name} FOR {command} TO {}{}{}",
        quoted(name),
        roles.join(", "),
        condition("USING", using),
        condition("WITH CHECK", check)
    )
}

/// Exactly these commands for a role.
fn permit(statements: &mut Vec<String>, table: &Table, role: &str, granted: &[&str], wanted: &[Command]) {
    let privileges: Vec<String> = wanted.iter().flat_map(|command| command.privileges()).collect();
    let is_as_wanted = granted.iter().all(|granted| privileges.iter().any(|wanted| wanted == granted))
        && privileges.iter().all(|wanted| granted.contains(&&**wanted));
    if is_as_wanted {
        return;
    }
    let to = if role == PUBLIC { "PUBLIC".to_owned() } else { quoted(role) };
    if !granted.is_empty() {
        statements.push(format!("REVOKE ALL ON {} FROM {to}", table.name));
    }
    // In one order, however a table declares them.
    let in_order = Command::ALL.iter().flat_map(|command| {
        wanted.iter().filter(move |wanted| wanted.name() == command.name()).map(|wanted| wanted.grant())
    });
    let names: Vec<String> = in_order.collect();
    if !names.is_empty() {
        statements.push(format!("GRANT {} ON {} TO {to}", names.join(", "), table.name));
    }
}

/// A name in SQL, whatever stands in it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOBS: Table = Table::of_tenants("jobs", &[Command::Select], &[Command::Select, Command::Update]);

    fn roles() -> Roles {
        Roles { requests: Some("req".to_owned()), worker: Some("a \"worker\"".to_owned()) }
    }

    fn row(is_enabled: bool) -> TableRow {
        let (name, owner) = ("jobs".to_owned(), "owner".to_owned());
        TableRow { name, owner, is_enabled, is_forced: is_enabled, has_tenant: true }
    }

    #[test]
    fn a_bare_table_gets_the_whole_wall_and_one_that_has_it_gets_nothing() {
        let mut statements = Vec::new();
        secure(&mut statements, &JOBS, &row(false), &[], &roles());
        assert_eq!(
            statements,
            [
                "ALTER TABLE jobs ENABLE ROW LEVEL SECURITY",
                "ALTER TABLE jobs FORCE ROW LEVEL SECURITY",
                "CREATE POLICY \"argus_owner\" ON jobs FOR ALL TO \"owner\" USING (true) WITH CHECK (true)",
                "CREATE POLICY \"argus_requests\" ON jobs FOR ALL TO \"req\" \
                 USING ((tenant_id = NULLIF(current_setting('argus.tenant_id'::text, true), ''::text))) \
                 WITH CHECK ((tenant_id = NULLIF(current_setting('argus.tenant_id'::text, true), ''::text)))",
                "CREATE POLICY \"argus_worker_select\" ON jobs FOR SELECT TO \"a \"\"worker\"\"\" USING (true)",
                "CREATE POLICY \"argus_worker_update\" ON jobs FOR UPDATE TO \"a \"\"worker\"\"\" USING (true) \
                 WITH CHECK (true)",
            ]
        );
        let all = wanted(&JOBS, "owner", &roles());
        statements.clear();
        secure(&mut statements, &JOBS, &row(true), &all.iter().collect::<Vec<_>>(), &roles());
        assert_eq!(statements, [""; 0]);
    }

    #[test]
    fn a_policy_that_the_code_does_not_have_is_dropped_unless_it_is_for_somebody_else() {
        let mut all = wanted(&JOBS, "owner", &roles());
        let of = |name: &str, role: &str| Policy {
            name: name.to_owned(),
            roles: vec![role.to_owned()],
            ..wanted(&JOBS, "owner", &roles()).remove(0)
        };
        all.extend([of("all", PUBLIC), of("more", "req"), of("reports", "reporter")]);
        let mut statements = Vec::new();
        secure(&mut statements, &JOBS, &row(true), &all.iter().collect::<Vec<_>>(), &roles());
        assert_eq!(statements, ["DROP POLICY \"all\" ON jobs", "DROP POLICY \"more\" ON jobs"]);
        // Who names no roles, as in development, leaves theirs alone.
        statements.clear();
        secure(&mut statements, &JOBS, &row(true), &all.iter().collect::<Vec<_>>(), &Roles::default());
        assert_eq!(statements, ["DROP POLICY \"all\" ON jobs"]);
    }

    #[test]
    fn a_role_gets_exactly_what_it_needs() {
        let change = |granted: &[&str], wanted: &[Command]| {
            let mut statements = Vec::new();
            permit(&mut statements, &JOBS, "req", granted, wanted);
            statements
        };
        let both = [Command::Update, Command::Select];
        assert_eq!(change(&["SELECT", "UPDATE"], &both), [""; 0]);
        assert_eq!(change(&[], &both), ["GRANT SELECT, UPDATE ON jobs TO \"req\""]);
        let all = ["SELECT", "UPDATE", "TRUNCATE"];
        let again = ["REVOKE ALL ON jobs FROM \"req\"", "GRANT SELECT, UPDATE ON jobs TO \"req\""];
        assert_eq!(change(&all, &both), again);
        assert_eq!(change(&all, &[]), again[..1]);
        let columns = [Command::Delete, Command::UpdateOf(&["hash", "sequence"]), Command::Select];
        let granted = ["UPDATE (hash)", "SELECT", "DELETE", "UPDATE (sequence)"];
        assert_eq!(change(&granted, &columns), [""; 0]);
        let only_these = [again[0], "GRANT SELECT, UPDATE (hash, sequence), DELETE ON jobs TO \"req\""];
        assert_eq!(change(&["SELECT", "UPDATE", "DELETE"], &columns), only_these);
        assert_eq!(change(&[&granted[..], &["UPDATE (actor)"]].concat(), &columns), only_these);
    }
}
