package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

type usage struct {
	Via      usageVia `cmd:"" help:"Show which way usage goes, or have it go another one that the agent is configured for: from the next batch on and until the restart, where the configuration counts again."`
	HashUser hashUser `cmd:"" help:"Print how usage names an end user, to find the rows of somebody who asks for them."`
}

type usageVia struct {
	Way         string `arg:"" optional:"" default:"" enum:",relay,kafka" help:"relay or kafka; none: show it."`
	AdminListen string `env:"WEIR_ADMIN_LISTEN" default:"127.0.0.1:8091" help:"Private address of the agent that runs here."`
}

func (v *usageVia) Run(out io.Writer) error {
	method := http.MethodPost
	if v.Way == "" {
		method = http.MethodGet
	}
	return ask(out, method, "http://"+v.AdminListen+"/usage/via", strings.NewReader(v.Way))
}

// ask prints what the agent that runs here answers.
func ask(out io.Writer, method, url string, body io.Reader) error {
	request, err := http.NewRequest(method, url, body)
	if err != nil {
		return err
	}
	client := http.Client{Timeout: answerWithin, Transport: &http.Transport{}} // no proxy
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("the agent does not answer where WEIR_ADMIN_LISTEN says: %w", err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(io.LimitReader(answer.Body, 4<<10))
	if err != nil {
		return fmt.Errorf("the agent's answer broke off: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the agent says: %s", strings.TrimSpace(string(said)))
	}
	_, err = out.Write(said)
	return err
}
