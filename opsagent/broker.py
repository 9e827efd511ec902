from django_q.brokers.orm import ORM


class Broker(ORM):
    pass
