package process

import (
	"context"
	"fmt"
	"net/http"
)

// Answers probes a URL: status 200 is ready.
func Answers(url string) func(context.Context) error { return AnswersTo("", url) }

// AnswersTo probes a URL for the bearer of a token; empty: without one.
func AnswersTo(token, url string) func(context.Context) error {
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		request.Close = true // no connection is kept to what may be killed
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s", url, response.Status)
		}
		return nil
	}
}
