package main

import (
	"context"

	"github.com/weirhq/weir/deploy/local/engine"
	"github.com/weirhq/weir/deploy/local/process"
)

func (s *stack) upPostgres(ctx context.Context) error {
	if s.external.postgres != "" {
		s.postgresURL = s.external.postgres
		return s.reach(ctx, "postgres", "WEIR_EXTERNAL_POSTGRES_URL", func(ctx context.Context) error {
			return engine.PingPostgres(ctx, s.postgresURL)
		})
	}
	engines, err := s.fetch()
	if err != nil {
		return err
	}
	return s.up(ctx, "postgres", s.address("POSTGRES"), func(*stack) (process.Program, error) {
		pg, err := engine.PreparePostgres(ctx, engine.PostgresConfig{
			Engines: engines, Dir: s.path("postgres"), Port: s.ports["POSTGRES"], Durable: true,
		})
		s.postgresURL = pg.URL
		return pg.Program, err
	})
}

func (s *stack) upKafka(ctx context.Context) error {
	if s.external.kafka != "" {
		s.brokers = s.external.kafka
		return s.reach(ctx, "kafka", "WEIR_EXTERNAL_KAFKA_URL", func(ctx context.Context) error {
			return engine.PingKafka(ctx, s.brokers)
		})
	}
	return s.up(ctx, "kafka", s.address("KAFKA"), func(*stack) (process.Program, error) {
		k, err := engine.PrepareKafka(engine.KafkaConfig{
			Binary: s.self, Dir: s.path("kafka"), Port: s.ports["KAFKA"], Topics: usageTopics,
		})
		s.brokers = k.Brokers
		return k.Program, err
	})
}

func (s *stack) upClickHouse(ctx context.Context) error {
	if s.external.clickhouse != "" {
		s.clickhouseURL, s.clickhouseReportURL = s.external.clickhouse, s.external.clickhouseReport
		return s.reach(ctx, "clickhouse", "WEIR_EXTERNAL_CLICKHOUSE_URL", func(ctx context.Context) error {
			return engine.PingClickHouse(ctx, s.clickhouseURL)
		})
	}
	engines, err := s.fetch()
	if err != nil {
		return err
	}
	return s.up(ctx, "clickhouse", s.address("CLICKHOUSE_TCP"), func(*stack) (process.Program, error) {
		ch, err := engine.PrepareClickHouse(engine.ClickHouseConfig{
			Engines: engines, Binary: s.self, Dir: s.path("clickhouse"),
			HTTPPort: s.ports["CLICKHOUSE_HTTP"], TCPPort: s.ports["CLICKHOUSE_TCP"],
		})
		s.clickhouseURL, s.clickhouseReportURL = ch.AdminURL, ch.ReportURL
		return ch.Program, err
	})
}

func (s *stack) upOIDC(ctx context.Context) error {
	if s.external.oidc != "" {
		s.issuer = s.external.oidc
		return s.reach(ctx, "oidc", "WEIR_EXTERNAL_OIDC_URL", func(ctx context.Context) error {
			return process.Answers(s.issuer + "/.well-known/openid-configuration")(ctx)
		})
	}
	s.issuer = s.url("OIDC")
	return s.up(ctx, "oidc", s.issuer, s.parts.oidc)
}

func (s *stack) upMock(ctx context.Context) error {
	if s.external.mock != "" {
		s.mockURL = s.external.mock
		return s.reach(ctx, "mock", "WEIR_EXTERNAL_MOCK_URL", func(ctx context.Context) error { return dial(ctx, s.mockURL) })
	}
	s.mockURL = s.url("MOCK")
	return s.up(ctx, "mock", s.mockURL, s.parts.mock)
}
