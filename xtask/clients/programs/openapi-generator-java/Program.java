import argus.auth.api.IdentityApi;
import argus.auth.model.Scope;
import argus.sandbox.ApiClient;
import argus.sandbox.ApiException;
import argus.sandbox.ApiResponse;
import argus.sandbox.api.JobsApi;
import argus.sandbox.api.WebhooksApi;
import argus.sandbox.model.ApiError;
import argus.sandbox.model.Job;
import argus.sandbox.model.EnrichJob;
import argus.sandbox.model.EnrichPayload;
import argus.sandbox.model.JobCreate;
import argus.sandbox.model.JobCreated;
import argus.sandbox.model.JobKind;
import argus.sandbox.model.JobList;
import argus.sandbox.model.JobResult;
import argus.sandbox.model.JobResultStatus;
import argus.sandbox.model.JobStatus;
import argus.sandbox.model.Webhook;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What a partner does first, through the clients that openapi-generator makes for Java's own HTTP client. */
public final class Program {
  private static final ApiClient SANDBOX = sandbox();

  private static ApiClient sandbox() {
    ApiClient client = new ApiClient();
    client.updateBaseUri(System.getenv("ARGUS_SANDBOX_URL"));
    String token = System.getenv("ARGUS_SANDBOX_TOKEN");
    client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + token));
    return client;
  }

  public static void main(String[] arguments) throws Exception {
    JobsApi jobs = new JobsApi(SANDBOX);
    Map<String, String> early = Map.of("Prefer", "argus-clock=10");

    EnrichPayload payload = new EnrichPayload().profileIds(List.of("p1", "p2"));
    EnrichJob body = new EnrichJob().kind(EnrichJob.KindEnum.IntelligenceEnrichBulk).payload(payload);
    ApiResponse<JobCreated> created = jobs.jobCreateWithHttpInfo(new JobCreate(body), null);
    check(created.getStatusCode() == 201, created.getStatusCode());
    JobCreated job = created.getData();
    check(job.getKind() == JobKind.IntelligenceEnrichBulk && job.getStatus() == JobStatus.Queued, job);

    Job running = jobs.jobView(job.getId(), early);
    check(running.getStatus() == JobStatus.Running && running.getCompletedAt() == null, running);
    Job ended = jobs.jobView(job.getId());
    check(ended.getStatus() == JobStatus.Succeeded && ended.getCompletedAt() != null, ended);

    ApiResponse<JobResult> result = jobs.jobResultWithHttpInfo(job.getId());
    check(result.getStatusCode() == 200 && result.getData().getSignedUrl() != null, result.getData());
    check(result.getData().getStatus() == JobResultStatus.Succeeded, result.getData());
    // The client has one type for both: without its status, a 202 would be a result without a URL.
    try {
      check(false, jobs.jobResult(job.getId(), early));
    } catch (ApiException | java.io.UncheckedIOException | IllegalArgumentException told) {
      check(told.getMessage().contains("running"), told);
    }

    int pages = 0;
    Set<String> seen = new HashSet<>();
    String cursor = null;
    do {
      JobList page = jobs.jobList(cursor, null, 3L, null);
      pages += 1;
      cursor = page.getNextCursor();
      page.getJobs().forEach(item -> seen.add(item.getId()));
    } while (cursor != null);
    check(pages == 40 && seen.size() == 120, pages + " pages, " + seen.size() + " jobs");

    try {
      check(false, jobs.jobView("no-such-job"));
    } catch (ApiException missing) {
      ApiError error = SANDBOX.getObjectMapper().readValue(missing.getResponseBody(), ApiError.class);
      check(missing.getCode() == 404 && error.getErrorCode().equals("not_found"), error);
    }

    WebhooksApi webhooks = new WebhooksApi(SANDBOX);
    Webhook subscription = webhooks.webhookList(null, 1L).getWebhooks().get(0);
    check(webhooks.webhookView(subscription.getId()).equals(subscription), subscription);

    argus.auth.ApiClient auth = new argus.auth.ApiClient();
    auth.updateBaseUri(System.getenv("ARGUS_AUTH_URL"));
    String token = System.getenv("ARGUS_ADMIN_TOKEN");
    auth.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + token));
    List<Scope> names = new IdentityApi(auth).scopeList().getScopes().stream().map(entry -> entry.getName()).toList();
    check(names.contains(Scope.JobsRead), names);
  }

  private static void check(boolean holds, Object seen) {
    if (!holds) {
      throw new AssertionError(seen);
    }
  }
}
