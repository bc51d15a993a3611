# One bot. docs/install.md ("In a container") has the commands: settings and secrets are in /etc/fedbot, a folder that the
# user 10001 owns; the state (journal, keys) is in the volume /var/lib/fedbot.
# `make image` builds on exactly the digest that is pinned in requirements/base-image.txt; `docker build` on today's tag.
ARG BASE=python:3.13-slim
FROM ${BASE} AS build
WORKDIR /source
RUN python -m venv /opt/fedbot
COPY requirements/build.txt requirements/run.txt requirements/
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt \
    && /opt/fedbot/bin/pip install --no-cache-dir --require-hashes -r requirements/run.txt
COPY . .
# built where setuptools is, so that the image has neither it nor the sources
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/fedbot/bin/pip install --no-deps --no-index /wheels/*.whl

FROM ${BASE}
RUN groupadd --gid 10001 fedbot \
    && useradd --uid 10001 --gid 10001 --home-dir /var/lib/fedbot --no-create-home --shell /usr/sbin/nologin fedbot \
    && install --directory --mode 0700 --owner 10001 --group 10001 /var/lib/fedbot
COPY --from=build /opt/fedbot /opt/fedbot
ENV PATH=/opt/fedbot/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    FEDBOT_CONFIG=/etc/fedbot/config.yaml FEDBOT_STATE=/var/lib/fedbot
# by number, so that whoever runs it can see that it isn't root
USER 10001:10001
WORKDIR /var/lib/fedbot
VOLUME /var/lib/fedbot
# generous, as Python takes its time to start on a small machine
HEALTHCHECK --interval=30s --timeout=15s --start-period=60s CMD ["fedbot", "health"]
ENTRYPOINT ["fedbot"]
CMD ["run"]
