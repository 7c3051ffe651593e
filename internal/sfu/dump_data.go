package sfu

// DataProducerDump is a data producer as it is.
type DataProducerDump struct {
	ID                   string                `json:"id"`
	Paused               bool                  `json:"paused"`
	Type                 DataType              `json:"type"`
	SCTPStreamParameters *SCTPStreamParameters `json:"sctpStreamParameters,omitempty"` // nil for a direct one
	Label                string                `json:"label"`
	Protocol             string                `json:"protocol"`
}

// Dump shows the data producer.
func (p *DataProducer) Dump() DataProducerDump {
	d := DataProducerDump{ID: p.id, Paused: p.Paused(), Type: p.Type(), Label: p.label, Protocol: p.protocol}
	if d.Type == DataSCTP {
		d.SCTPStreamParameters = new(p.params)
	}
	return d
}

// DataConsumerDump is a data consumer as it is.
type DataConsumerDump struct {
	ID                         string                `json:"id"`
	Paused                     bool                  `json:"paused"`
	DataProducerPaused         bool                  `json:"dataProducerPaused"`
	Subchannels                []uint16              `json:"subchannels"`
	DataProducerID             string                `json:"dataProducerId"`
	Type                       DataType              `json:"type"`
	SCTPStreamParameters       *SCTPStreamParameters `json:"sctpStreamParameters,omitempty"` // nil for a direct one
	Label                      string                `json:"label"`
	Protocol                   string                `json:"protocol"`
	BufferedAmount             int                   `json:"bufferedAmount"`
	BufferedAmountLowThreshold int                   `json:"bufferedAmountLowThreshold"`
}

// Dump shows the data consumer.
func (c *DataConsumer) Dump() DataConsumerDump {
	d := DataConsumerDump{
		ID: c.id, Paused: c.Paused(), DataProducerPaused: c.DataProducerPaused(), Subchannels: []uint16{},
		DataProducerID: c.producer.id, Type: c.Type(), Label: c.Label(), Protocol: c.Protocol(),
		BufferedAmount: c.BufferedAmount(), BufferedAmountLowThreshold: int(c.lowThreshold.Load()),
	}
	d.Subchannels = append(d.Subchannels, c.Subchannels()...)
	if d.Type == DataSCTP {
		d.SCTPStreamParameters = new(c.params)
	}
	return d
}
