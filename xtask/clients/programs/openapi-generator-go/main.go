// What a partner does first, through the clients that openapi-generator makes for Go.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"

	"argus/auth"
	"argus/sandbox"
)

func check(holds bool, what ...any) {
	if !holds {
		panic(fmt.Sprintf("%+v", what))
	}
}

// The sandbox host; `prefer`, if any, is sent with every call.
func client(prefer string) *sandbox.APIClient {
	settings := sandbox.NewConfiguration()
	settings.Servers = sandbox.ServerConfigurations{{URL: os.Getenv("ARGUS_SANDBOX_URL")}}
	if prefer != "" {
		settings.AddDefaultHeader("Prefer", prefer)
	}
	return sandbox.NewAPIClient(settings)
}

func main() {
	caller := context.WithValue(context.Background(), sandbox.ContextAccessToken, os.Getenv("ARGUS_SANDBOX_TOKEN"))
	now, early := client("").JobsAPI, client("argus-clock=10").JobsAPI

	payload := sandbox.NewEnrichPayload([]string{"p1", "p2"})
	body := sandbox.EnrichJobAsJobCreate(sandbox.NewEnrichJob("intelligence.enrich.bulk", *payload))
	job, response, err := now.JobCreate(caller).JobCreate(body).Execute()
	check(err == nil && response.StatusCode == http.StatusCreated, err, response)
	check(job.Kind == sandbox.JOBKIND_IntelligenceEnrichBulk && job.Status == sandbox.JOBSTATUS_Queued, job)

	running, _, err := early.JobView(caller, job.Id).Execute()
	check(err == nil && running.Status == sandbox.JOBSTATUS_Running && running.CompletedAt.Get() == nil, err, running)
	ended, _, err := now.JobView(caller, job.Id).Execute()
	check(err == nil && ended.Id == job.Id && ended.Status == sandbox.JOBSTATUS_Succeeded, err, ended)
	check(ended.CompletedAt.Get().After(ended.CreatedAt), ended)

	result, response, err := now.JobResult(caller, job.Id).Execute()
	check(err == nil && response.StatusCode == http.StatusOK && result.SignedUrl != "", err, result)
	check(result.Status == sandbox.JOBRESULTSTATUS_Succeeded, result)
	// The client has one type for both: without its status, a 202 would be a result without a URL.
	_, response, err = early.JobResult(caller, job.Id).Execute()
	var told *sandbox.GenericOpenAPIError
	check(errors.As(err, &told) && response.StatusCode == http.StatusAccepted, err, response)
	var progress sandbox.JobProgress
	check(json.Unmarshal(told.Body(), &progress) == nil, string(told.Body()))
	check(progress.Status == sandbox.JOBPROGRESSSTATUS_Running, progress)

	pages, seen, cursor := 0, map[string]bool{}, ""
	for pages == 0 || cursor != "" {
		request := now.JobList(caller).Limit(3)
		if cursor != "" {
			request = request.Cursor(cursor)
		}
		page, _, err := request.Execute()
		check(err == nil, err)
		for _, item := range page.Jobs {
			seen[item.Id] = true
		}
		pages, cursor = pages+1, page.GetNextCursor()
	}
	check(pages == 40 && len(seen) == 120, pages, len(seen))

	_, response, err = now.JobView(caller, "no-such-job").Execute()
	check(errors.As(err, &told) && response.StatusCode == http.StatusNotFound, err, response)
	missing, isTyped := told.Model().(sandbox.ApiError)
	check(isTyped && missing.ErrorCode == "not_found", told.Model())

	webhooks := client("").WebhooksAPI
	subscriptions, _, err := webhooks.WebhookList(caller).Limit(1).Execute()
	check(err == nil && len(subscriptions.Webhooks) == 1, err, subscriptions)
	subscription, _, err := webhooks.WebhookView(caller, subscriptions.Webhooks[0].Id).Execute()
	check(err == nil && subscription.Url == subscriptions.Webhooks[0].Url, err, subscription)

	settings := auth.NewConfiguration()
	settings.Servers = auth.ServerConfigurations{{URL: os.Getenv("ARGUS_AUTH_URL")}}
	admin := context.WithValue(context.Background(), auth.ContextAccessToken, os.Getenv("ARGUS_ADMIN_TOKEN"))
	scopes, _, err := auth.NewAPIClient(settings).IdentityAPI.ScopeList(admin).Execute()
	check(err == nil, err)
	known := false
	for _, entry := range scopes.Scopes {
		known = known || entry.Name == auth.SCOPE_JobsRead
	}
	check(known, scopes)
}
