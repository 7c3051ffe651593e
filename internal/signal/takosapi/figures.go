package takosapi

import "github.com/takoserver/takos-call/internal/sfu"

// The answers of the commands for figures, which have the names of mediasoup's
// statistics.
type (
	// TransportFigures is the answer of getTransportStats and transport.getStats.
	TransportFigures struct {
		Stats []sfu.TransportStats `json:"stats" doc:"one element, with the names of mediasoup's statistics"`
	}
	// ProducerFigures is the answer of getProducerStats and producer.getStats.
	ProducerFigures struct {
		Stats []sfu.ProducerStats `json:"stats" doc:"of each encoding that arrives, with the names of mediasoup's statistics"`
	}
	// ConsumerFigures is the answer of getConsumerStats and consumer.getStats.
	ConsumerFigures struct {
		Stats []sfu.ConsumerStats `json:"stats" doc:"of what is sent, and of what it is made from, with the names of mediasoup's statistics"`
	}
	// DataProducerFigures is the answer of getDataProducerStats and
	// dataProducer.getStats.
	DataProducerFigures struct {
		Stats []sfu.DataProducerStats `json:"stats" doc:"one element, with the names of mediasoup's statistics"`
	}
	// DataConsumerFigures is the answer of getDataConsumerStats and
	// dataConsumer.getStats.
	DataConsumerFigures struct {
		Stats []sfu.DataConsumerStats `json:"stats" doc:"one element, with the names of mediasoup's statistics"`
	}
)
