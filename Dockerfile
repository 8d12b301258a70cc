# cliqa on the processor alone, as a user without rights:
#   docker build -t cliqa .
#   mkdir -p out
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD/photos:/photos:ro" -v "$PWD/out:/out" cliqa filter_low_quality_jpeg -i /photos -o /out/kept
FROM python:3.12 AS build
WORKDIR /src
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY cliqa cliqa
COPY pretrained_models pretrained_models
RUN pip wheel --no-deps --wheel-dir /wheels .

FROM python:3.12-slim
RUN pip install --no-cache-dir uv
COPY --from=build /wheels /wheels
RUN uv pip install --system --no-cache --torch-backend=cpu "$(ls /wheels/*.whl)[duplicates,heif,onnx,parquet]" && rm -rf /wheels
RUN useradd --create-home cliqa
USER cliqa
WORKDIR /home/cliqa
ENTRYPOINT ["cliqa"]
CMD ["--help"]
