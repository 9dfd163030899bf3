//! The jobs of a workflow that deploys to Vercel.

use super::CHECKOUT;

/// Builds on GitHub's machine, for production or for a preview.
const VERCEL_BUILD: &str = r#"          if [ "$ENVIRONMENT" = production ]; then
            npx --yes vercel pull --yes --environment=production --token="$VERCEL_TOKEN"
            npx --yes vercel build --prod --token="$VERCEL_TOKEN"
          else
            # For an environment of your own on Vercel: pull --environment=NAME, build and deploy --target=NAME.
            npx --yes vercel pull --yes --environment=preview --token="$VERCEL_TOKEN"
            npx --yes vercel build --token="$VERCEL_TOKEN"
          fi
"#;

/// Deploys what was built, and tells its address.
const VERCEL_DEPLOY: &str = r#"          if [ "$ENVIRONMENT" = production ]; then
            url=$(npx --yes vercel deploy --prebuilt --prod --token="$VERCEL_TOKEN")
            # Vercel may close the address of a single deployment to visitors; the site's own is open to them.
            case "$VERCEL_ORG_ID" in team_*) team="?teamId=$VERCEL_ORG_ID" ;; *) team="" ;; esac
            site=$(curl --fail --silent --show-error --retry 3 --max-time 20 \
              -H "authorization: Bearer $VERCEL_TOKEN" \
              "https://api.vercel.com/v13/deployments/${url#https://}$team" \
              | jq -r '[.alias[]?] | sort_by([endswith(".vercel.app"), length]) | .[0] // empty') || site=""
            if [ -n "$site" ]; then url="https://$site"; fi
          else
            url=$(npx --yes vercel deploy --prebuilt --token="$VERCEL_TOKEN")
          fi
          echo "url=$url" >> "$GITHUB_OUTPUT"
"#;

/// The jobs that build and deploy; `set_up` are the steps before a build.
pub(super) fn jobs(set_up: &str, environment: &str) -> (String, String) {
    let env = format!(
        "    env:\n      ENVIRONMENT: {environment}\n      VERCEL_ORG_ID: ${{{{ secrets.VERCEL_ORG_ID }}}}\n      VERCEL_PROJECT_ID: ${{{{ secrets.VERCEL_PROJECT_ID }}}}\n      VERCEL_TOKEN: ${{{{ secrets.VERCEL_TOKEN }}}}\n"
    );
    let build = format!(
        "  build:
    runs-on: ubuntu-latest
    timeout-minutes: 30
{env}    steps:
{CHECKOUT}{set_up}      - uses: actions/cache@v4
        with:
          path: .next/cache
          key: build-${{{{ github.sha }}}}
          restore-keys: build-
      - name: Build for the environment
        run: |
{VERCEL_BUILD}      - uses: actions/upload-artifact@v4
        with:
          name: site
          path: .vercel/output
          include-hidden-files: true

"
    );
    // The job's address is where Sayso looks whether the site is live.
    let deploy = format!(
        "  deploy:
    needs: [check, build]
    runs-on: ubuntu-latest
    timeout-minutes: 15
    environment:
      name: {environment}
      url: ${{{{ steps.deploy.outputs.url }}}}
{env}    steps:
{CHECKOUT}      - uses: actions/download-artifact@v4
        with:
          name: site
          path: .vercel/output
      - id: deploy
        name: Deploy and tell the address
        run: |
{VERCEL_DEPLOY}
"
    );
    (build, deploy)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::config::Config;

    /// What the steps of the workflow for Vercel call, and the address that they tell.
    fn called(environment: &str) -> (String, String) {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("vercel.json"), "{}").unwrap();
        let workflow = super::super::text(dir.path(), &Config::default());
        assert!(
            workflow.contains("url: ${{ steps.deploy.outputs.url }}")
                && workflow.contains("name: ${{ inputs.environment || 'production' }}"),
            "{workflow}"
        );
        let stubs = [
            (
                "npx",
                "echo \"$@\" >> \"$CALLS\"; echo https://shop-1.vercel.app",
            ),
            ("curl", "echo {}"),
            ("jq", "cat > /dev/null; echo www.example.org"),
        ];
        for (name, script) in stubs {
            let path = dir.path().join(name);
            std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let path = format!(
            "{}:{}",
            dir.path().display(),
            std::env::var("PATH").unwrap_or_default()
        );
        let (calls, output) = (dir.path().join("calls"), dir.path().join("output"));
        for script in [VERCEL_BUILD, VERCEL_DEPLOY] {
            assert!(workflow.contains(script), "{workflow}");
            let status = std::process::Command::new("bash")
                .args(["-e", "-c", script])
                .env("PATH", &path)
                .env("CALLS", &calls)
                .env("GITHUB_OUTPUT", &output)
                .env("ENVIRONMENT", environment)
                .env("VERCEL_ORG_ID", "team_a")
                .env("VERCEL_TOKEN", "t")
                .stdout(std::process::Stdio::null())
                .status()
                .unwrap();
            assert!(status.success());
        }
        let read = |path| std::fs::read_to_string(path).unwrap();
        (read(calls), read(output))
    }

    #[test]
    fn vercel_gets_the_environment_that_was_asked_for_and_tells_its_address() {
        let (calls, output) = called("production");
        for part in [
            "--environment=production",
            "build --prod",
            "--prebuilt --prod",
        ] {
            assert!(calls.contains(part), "{part}: {calls}");
        }
        assert_eq!(output, "url=https://www.example.org\n");
        let (calls, output) = called("staging");
        assert!(
            calls.contains("--environment=preview") && calls.contains("deploy --prebuilt --token"),
            "{calls}"
        );
        assert!(!calls.contains("--prod"), "{calls}");
        assert_eq!(output, "url=https://shop-1.vercel.app\n");
    }
}
